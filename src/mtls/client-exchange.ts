import type { ClientRequest, IncomingMessage } from "node:http";
import { type Agent, request as startRequest } from "node:https";
import type { z } from "zod";
import type { Code } from "../errors/codes.ts";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { parseJson, readBytes } from "./body.ts";
import { inspectServer, invalidityOf } from "./certificate-validity.ts";
import { explainFailure } from "./failure-reason.ts";
import type { Method } from "./json-api.ts";
import { fromProblem } from "./problem.ts";

/** Where calls go. */
export interface Target {
  readonly origin: string;
  /** Stands before every path; empty, or `/...` without a slash at its end. */
  readonly prefix: string;
  /** The certificate that this side shows, PEM. */
  readonly ownCert: string;
}

export interface Call<T> {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  readonly agent: Agent;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly schema?: z.ZodType<T>;
}

/** No answer of ours is larger; what is larger does not come from us. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** One request and its whole answer. Throws what `JsonClient` says. */
export async function exchange<T>(target: Target, call: Call<T>): Promise<T> {
  const operation = `${call.method} ${call.path}`;
  const address = target.origin;
  const answer = await send(target, call);
  const badAnswer = (reason: string, cause?: unknown) =>
    new PlatformError("MTLS_BAD_ANSWER", { address, operation, reason }, { cause });
  if (answer.body === undefined) throw badAnswer(`it has more than ${maxAnswerBytes} bytes`);
  let value: unknown;
  try {
    value = answer.body.length === 0 ? undefined : parseJson(answer.body);
  } catch (error) {
    throw badAnswer(`status ${answer.status} with a body that is not JSON`, error);
  }
  if (answer.status >= 400) {
    throw fromProblem(value) ?? badAnswer(`status ${answer.status} without problem details`);
  }
  if (call.schema === undefined) return value as T; // the caller vouches for it, see CallOptions
  const checked = call.schema.safeParse(value);
  if (checked.success) return checked.data;
  throw badAnswer(
    checked.error.issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`)
      .join("; "),
    checked.error,
  );
}

interface Answer {
  readonly status: number;
  /** Undefined when it was too large. */
  readonly body: Uint8Array | undefined;
}

function send<T>(target: Target, call: Call<T>): Promise<Answer> {
  const { method, agent, timeoutMs, signal } = call;
  const { origin: address } = target;
  signal?.throwIfAborted();
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  return new Promise((resolve, reject) => {
    const request = startRequest(new URL(address + target.prefix + call.path), {
      method,
      agent,
      headers: { Accept: "application/json", ...bodyHeaders(body) },
    });
    const stop = abandonable(request);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      act();
    };
    const fail = (error: unknown) => settle(() => reject(error));
    const onAbort = () => {
      stop();
      fail(signal?.reason);
    };
    const timer = setTimeout(() => {
      stop();
      const params = { address, operation: `${method} ${call.path}`, timeoutMs };
      fail(new PlatformError("MTLS_TIMEOUT", params));
    }, timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    request.on("error", (error) => void translate(error, target).then(fail));
    request.on("response", (response: IncomingMessage) => {
      readBytes(response, maxAnswerBytes).then(
        (bytes) => settle(() => resolve({ status: response.statusCode ?? 0, body: bytes })),
        (error: unknown) => void translate(error, target).then(fail),
      );
    });
    request.end(body);
  });
}

/**
 * Returns what gives a request up. Destroying one on a kept connection makes the runtime send it
 * again on a new one, and tells nobody: the new connection is destroyed as well.
 */
function abandonable(request: ClientRequest): () => void {
  let isAbandoned = false;
  request.on("socket", (socket) => {
    if (isAbandoned) socket.destroy();
  });
  return () => {
    isAbandoned = true;
    request.destroy();
  };
}

function bodyHeaders(body: Uint8Array | undefined): Record<string, string> {
  if (body === undefined) return {};
  return { "Content-Type": "application/json", "Content-Length": String(body.length) };
}

async function translate(error: unknown, { origin, ownCert }: Target): Promise<PlatformError> {
  if (isPlatformError(error)) return error; // the refusal of checkServerIdentity
  const { isUntrusted, code, reason } = explainFailure(error);
  const failure = (found: Code, why: string) =>
    new PlatformError(found, { address: origin, reason: why }, { cause: error });
  const own = invalidityOf(ownCert);
  if (own !== undefined && (isUntrusted || code === "ECONNRESET")) {
    return failure("MTLS_UNTRUSTED", `this side's own ${own}`);
  }
  if (!isUntrusted) return failure("MTLS_UNREACHABLE", reason);
  const invalid = await inspectServer(origin);
  const precise = invalid === undefined ? reason : `its ${invalid}`;
  return failure("MTLS_UNTRUSTED", precise);
}
