import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Call } from "../call.ts";
import type { Clock } from "../clock.ts";
import { createRestClient, type RestSending } from "../outgoing/create-rest-client.ts";
import type { RestClient, RestOptions, RestReply } from "../outgoing/rest-client.ts";
import { describeIssues } from "../schema.ts";
import { fillPath } from "./path-pattern.ts";
import type { FakeHooks, RestAnswer, RestCall, RestFake } from "./rest-fake.ts";

export interface FakeRestClientOptions {
  readonly call: Call;
  readonly hooks: FakeHooks<RestCall>;
  readonly clock: Clock;
}

type ReplyAnswer = Exclude<RestAnswer, { readonly failure: string }>;

/** A RestClient as services know it, for one call; its errors are those of the real one. */
export function createFakeRestClient(fake: RestFake, options: FakeRestClientOptions): RestClient {
  const sender = new FakeSender(fake, options);
  return createRestClient((sending) => sender.send(sending));
}

class FakeSender {
  readonly #fake: RestFake;
  readonly #options: FakeRestClientOptions;

  constructor(fake: RestFake, options: FakeRestClientOptions) {
    this.#fake = fake;
    this.#options = options;
  }

  async send<T>({ method, path, body, options }: RestSending<T>): Promise<RestReply<T>> {
    const { call, hooks, clock } = this.#options;
    const about = { kind: "RestOutgoing", name: this.#fake.name };
    call.signal.throwIfAborted();
    if (call.remaining() <= 0) throw new PlatformError("OUTGOING_DEADLINE", about);
    const { target, query } = this.#target(path, options);
    const answer = await this.#fake.answer({
      protocol: "rest",
      connection: this.#fake.name,
      method,
      path: target,
      query,
      headers: new Headers(options.headers),
      body: sentBody(body),
      cid: call.request.cid,
    }, hooks);
    if ("failure" in answer) throw restFailure(this.#fake.name, answer.failure);
    await this.#wait(answer.delayMs ?? 0, options.timeoutMs ?? Infinity, clock);
    const { status = 200 } = answer;
    if (status >= 400 && !options.accept?.includes(status)) {
      const data = answer.data;
      throw new PlatformError("OUTGOING_STATUS", { ...about, status, method, path: target }, {
        details: { status, data },
      });
    }
    return {
      status,
      headers: new Headers(answer.headers),
      data: await this.#data(answer, options),
    };
  }

  #target(
    path: string,
    { params = {}, query = {} }: RestOptions<unknown>,
  ): { readonly target: string; readonly query: RestCall["query"] } {
    const [template = "", own = ""] = path.split("?", 2);
    const all = new URLSearchParams(own);
    for (const [name, value] of Object.entries(query)) {
      const values = Array.isArray(value) ? value : value === undefined ? [] : [value];
      for (const one of values) all.append(name, String(one));
    }
    const entries = [...new Set(all.keys())].map((name) => {
      const values = all.getAll(name);
      return [name, values.length === 1 ? values[0]! : values] as const;
    });
    try {
      const target = fillPath(template.startsWith("/") ? template : `/${template}`, params);
      return { target, query: Object.fromEntries(entries) };
    } catch (error) {
      const about = { kind: "RestOutgoing", name: this.#fake.name, reason: reasonOf(error) };
      throw new PlatformError("OUTGOING_REQUEST", about, { cause: error });
    }
  }

  async #wait(delayMs: number, timeoutMs: number, clock: Clock): Promise<void> {
    const { call } = this.#options;
    await clock.delay(Math.min(delayMs, timeoutMs), call.signal);
    if (delayMs <= timeoutMs) return;
    const about = { kind: "RestOutgoing", name: this.#fake.name, timeoutMs };
    throw new PlatformError("OUTGOING_TIMEOUT", about);
  }

  async #data<T>({ data }: ReplyAnswer, { schema, as }: RestOptions<T>): Promise<T> {
    const read = readAs(data, as);
    if (schema === undefined) return read as T; // the caller's claim, as for the real client
    const checked = await schema["~standard"].validate(read);
    if (checked.issues === undefined) return checked.value;
    const about = { kind: "RestOutgoing", name: this.#fake.name };
    const errors = describeIssues(checked.issues);
    const reason = errors.map(({ pointer, detail }) => `${pointer || "/"}: ${detail}`).join("; ");
    throw new PlatformError("OUTGOING_REPLY_INVALID", { ...about, reason }, {
      details: { errors },
    });
  }
}

/** What JSON makes of plain values, so that a test sees what the other side would. */
function sentBody(body: unknown): unknown {
  return isRaw(body) || body === undefined ? body : JSON.parse(JSON.stringify(body));
}

function readAs(data: unknown, as: RestOptions<unknown>["as"]): unknown {
  if (as === undefined || as === "json") return isRaw(data) ? data : copyOf(data);
  if (data instanceof ReadableStream) return data;
  const bytes = data instanceof Uint8Array
    ? data
    : new TextEncoder().encode(typeof data === "string" ? data : JSON.stringify(data) ?? "");
  if (as === "bytes") return bytes;
  return as === "text" ? new TextDecoder().decode(bytes) : new Blob([bytes.slice()]).stream();
}

function copyOf(data: unknown): unknown {
  return data === undefined ? undefined : JSON.parse(JSON.stringify(data));
}

function isRaw(value: unknown): boolean {
  return typeof value === "string" || value instanceof Uint8Array ||
    value instanceof ReadableStream || value instanceof FormData ||
    value instanceof URLSearchParams || value instanceof Blob;
}

/** The error of the real client for an answer that did not come. */
function restFailure(
  name: string,
  failure: "unreachable" | "timeout" | "breaker-open",
): PlatformError {
  const about = { kind: "RestOutgoing", name };
  switch (failure) {
    case "unreachable":
      return new PlatformError("OUTGOING_UNREACHABLE", {
        ...about,
        address: "the test's fake",
        reason: "The test says so",
      });
    case "timeout":
      return new PlatformError("OUTGOING_TIMEOUT", { ...about, timeoutMs: 0 });
    case "breaker-open":
      return new PlatformError("OUTGOING_BREAKER_OPEN", { ...about, reason: "the test says so" });
  }
}
