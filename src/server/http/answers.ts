import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { ServiceResponse } from "../../service/call.ts";
import type { Exchange } from "./exchange.ts";
import type { ProblemAnswer } from "./problem.ts";

type HeaderRecord = Record<string, string>;

/** Headers that belong to the connection, which is not the service's. */
const connectionHeaders = ["connection", "content-length", "keep-alive", "transfer-encoding"];

/** Statuses that have no body. */
const bodilessStatuses = new Set([204, 205, 304]);

/** Makes the responses of one server, each with the headers that all of them carry. */
export class Answers {
  readonly #server: string | undefined;
  #isClosing = false;

  /** `server`: its name, to be shown to clients; only where the environment is for development. */
  constructor({ server }: { readonly server?: string | undefined }) {
    this.#server = server;
  }

  /** From now on, every answer ends its connection. */
  closeConnections(): void {
    this.#isClosing = true;
  }

  /** What a service returned: JSON, 204 for undefined, or what the service set up itself. */
  output(exchange: Exchange, output: unknown): Response {
    const head = exchange.responseIfTouched;
    if (head !== undefined) return this.#customOutput(exchange, output, head);
    if (output === undefined) {
      return new Response(null, { status: 204, headers: this.#headers(exchange.cid) });
    }
    const headers = this.#headers(exchange.cid, "application/json");
    return new Response(toJson(output, exchange), { headers });
  }

  /** A JSON value of our own. */
  json(value: unknown, cid: string, status = 200): Response {
    const headers = this.#headers(cid, "application/json");
    return new Response(JSON.stringify(value), { status, headers });
  }

  /** Problem details. */
  problem({ problem, headers }: ProblemAnswer, more: HeaderRecord = {}): Response {
    const all = this.#headers(problem.cid, "application/problem+json");
    Object.assign(all, headers, more);
    return new Response(JSON.stringify(problem), { status: problem.status, headers: all });
  }

  /** 204 for OPTIONS. */
  options(allow: string, cid: string): Response {
    const headers = this.#headers(cid);
    headers["Allow"] = allow;
    return new Response(null, { status: 204, headers });
  }

  #customOutput(exchange: Exchange, output: unknown, head: ServiceResponse): Response {
    const status = head.status === 0 ? (output === undefined ? 204 : 200) : head.status;
    const { body, contentType } = customBody(exchange, output, head);
    const headers = new Headers(head.headers);
    for (const name of connectionHeaders) headers.delete(name);
    const own = this.#headers(exchange.cid, contentType);
    for (const [name, value] of Object.entries(own)) headers.set(name, value);
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError(`The service set the status ${status}, which is not from 200 to 599`);
    }
    return new Response(bodilessStatuses.has(status) ? null : body, { status, headers });
  }

  #headers(cid: string, contentType?: string): HeaderRecord {
    const headers: HeaderRecord = contentType === undefined
      ? { "X-Dragoman-Cid": cid }
      : { "Content-Type": contentType, "X-Dragoman-Cid": cid };
    if (this.#server !== undefined) headers["X-Dragoman-Server"] = this.#server;
    if (this.#isClosing) headers["Connection"] = "close";
    return headers;
  }
}

interface CustomBody {
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  /** Undefined: the service's own stays. */
  readonly contentType?: string;
}

function customBody(exchange: Exchange, output: unknown, { headers }: ServiceResponse): CustomBody {
  if (output === undefined) return { body: null };
  const contentType = headers.get("content-type");
  const isRaw = contentType !== null && !/\bjson\b/i.test(contentType);
  if (isRaw && typeof output === "string") return { body: output };
  // Nobody shares the memory of what a service returns with another thread.
  if (isRaw && output instanceof Uint8Array) return { body: output as Uint8Array<ArrayBuffer> };
  const body = toJson(output, exchange);
  return contentType === null || isRaw ? { body, contentType: "application/json" } : { body };
}

function toJson(output: unknown, { route }: Exchange): string {
  const service = route?.runnable.service.name ?? "";
  let text: string | undefined;
  try {
    text = JSON.stringify(output);
  } catch (error) {
    const reason = reasonOf(error);
    throw new PlatformError("SERVICE_OUTPUT_NOT_JSON", { service, reason }, { cause: error });
  }
  if (text !== undefined) return text;
  throw new PlatformError("SERVICE_OUTPUT_NOT_JSON", { service, reason: typeof output });
}
