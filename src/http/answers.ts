import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import { UnwritableError } from "../formats/format.ts";
import { writeJson } from "../formats/json.ts";
import type { ServiceResponse } from "../service/call.ts";
import { isFileResponse } from "../service/http/file-response.ts";
import { isStreamResponse } from "../service/http/stream-response.ts";
import { blobSource } from "./content/byte-source.ts";
import { answerFile, type ByteAnswer, sendSource, sendStream } from "./content/byte-answer.ts";
import { streamOutput } from "./content/byte-stream.ts";
import { answerConditionally } from "./content/conditional.ts";
import type { Exchange } from "./exchange.ts";
import type { ProblemAnswer } from "./problem.ts";

type HeaderRecord = Record<string, string>;

/** How outputs are written. */
export interface OutputEncoding {
  /** For the log. */
  readonly name: string;
  readonly contentType: string;
  /** Throws an UnwritableError. */
  write(value: unknown): string | Uint8Array<ArrayBuffer>;
}

const json: OutputEncoding = { name: "json", contentType: "application/json", write: writeJson };

/** Headers that belong to the connection, which is not the service's. */
const connectionHeaders = ["connection", "content-length", "keep-alive", "transfer-encoding"];

/** Statuses that have no body. */
const bodilessStatuses = new Set([204, 205, 304]);

/** Headers of a problem that a service has no say in. */
const problemHeaders: ReadonlySet<string> = new Set([
  ...connectionHeaders,
  "content-type",
  "upgrade",
  "x-dragoman-cid",
  "x-dragoman-server",
]);

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

  /**
   * What a service returned: written in an encoding (default JSON), sent while it is made for
   * streams, files and blobs, 204 for undefined, or what the service set up itself. A promise only
   * where a file must be opened. Throws, or rejects with, SERVICE_OUTPUT_NOT_JSON,
   * SERVICE_OUTPUT_FORMAT, REQUEST_PRECONDITION and REQUEST_RANGE.
   */
  output(
    exchange: Exchange,
    output: unknown,
    encoding: OutputEncoding = json,
  ): Response | Promise<Response> {
    const head = exchange.responseIfTouched;
    if (mayStream(output)) {
      const streaming = this.#streamOutput(exchange, output, { head, encoding });
      if (streaming !== undefined) return streaming;
    }
    if (head !== undefined) return this.#customOutput(exchange, output, { head, encoding });
    if (output === undefined) {
      return new Response(null, { status: 204, headers: this.#headers(exchange.cid) });
    }
    return this.#plain(written(output, exchange, encoding), exchange.cid, encoding.contentType);
  }

  /** A JSON value of our own. */
  json(value: unknown, cid: string, status = 200): Response {
    const headers = this.#headers(cid, "application/json");
    return new Response(JSON.stringify(value), { status, headers });
  }

  /** Bytes of our own; who makes them says what they are. */
  bytes(body: Uint8Array<ArrayBuffer> | string | null, cid: string, status = 200): Response {
    return new Response(body, { status, headers: this.#headers(cid) });
  }

  /** A text of our own. */
  text(
    text: string,
    { type, cid, status = 200 }: {
      readonly type: string;
      readonly cid: string;
      readonly status?: number;
    },
  ): Response {
    return new Response(text, { status, headers: this.#headers(cid, type) });
  }

  /** Problem details. */
  problem({ problem, headers }: ProblemAnswer, more: HeaderRecord = {}): Response {
    const all = this.#headers(problem.cid, "application/problem+json");
    for (const [name, value] of Object.entries(headers ?? {})) {
      if (!problemHeaders.has(name.toLowerCase())) all[name] = value;
    }
    Object.assign(all, more);
    return new Response(JSON.stringify(problem), { status: problem.status, headers: all });
  }

  /** 204 for OPTIONS. */
  options(allow: string, cid: string): Response {
    const headers = this.#headers(cid);
    headers["Allow"] = allow;
    return new Response(null, { status: 204, headers });
  }

  /** An answer that is sent while it is read, with the headers that go with it. */
  streamed(exchange: Exchange, { status, body }: ByteAnswer, headers: Headers): Response {
    for (const [name, value] of Object.entries(this.#headers(exchange.cid))) {
      headers.set(name, value);
    }
    return new Response(body, { status, headers });
  }

  /** Undefined for an output that is no stream. */
  #streamOutput(
    exchange: Exchange,
    output: object,
    { head, encoding }: {
      readonly head: ServiceResponse | undefined;
      readonly encoding: OutputEncoding;
    },
  ): Response | Promise<Response> | undefined {
    const headers = new Headers(head?.headers);
    for (const name of connectionHeaders) headers.delete(name);
    const finish = (answer: ByteAnswer) => {
      const isWhole = answer.status === 200;
      const status = isWhole && head !== undefined && head.status !== 0 ? head.status : undefined;
      return this.streamed(exchange, { ...answer, status: status ?? answer.status }, headers);
    };
    if (isFileResponse(output)) return answerFile(exchange, output, headers).then(finish);
    if (output instanceof Blob) {
      if (!headers.has("content-type")) {
        headers.set("Content-Type", output.type || "application/octet-stream");
      }
      return finish(sendSource(exchange, blobSource(output), headers));
    }
    const stream = streamOutput(output);
    // A channel whose answers are CSV streams CSV; nothing says so of JSON.
    if (encoding !== json && !headers.has("content-type")) {
      headers.set("Content-Type", encoding.contentType);
    }
    return stream && finish(sendStream(exchange, stream, headers));
  }

  #customOutput(
    exchange: Exchange,
    output: unknown,
    { head, encoding }: { readonly head: ServiceResponse; readonly encoding: OutputEncoding },
  ): Response {
    const status = head.status === 0 ? (output === undefined ? 204 : 200) : head.status;
    const { body, contentType } = customBody(exchange, output, { head, encoding });
    const headers = new Headers(head.headers);
    for (const name of connectionHeaders) headers.delete(name);
    const own = this.#headers(exchange.cid, contentType);
    for (const [name, value] of Object.entries(own)) headers.set(name, value);
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      const reason = `It set the status ${String(status)}, which is not from 200 to 599`;
      throw new PlatformError("SERVICE_FAILED", { service: exchange.route?.service ?? "", reason });
    }
    const response = new Response(bodilessStatuses.has(status) ? null : body, { status, headers });
    return answerConditionally(exchange, response);
  }

  /**
   * The usual answer. The engine has a short way for a response with nothing but a content type;
   * adding the others afterwards is five times as fast as giving them all at once.
   */
  #plain(body: string | Uint8Array<ArrayBuffer>, cid: string, contentType: string): Response {
    const response = new Response(body, { headers: { "Content-Type": contentType } });
    const { headers } = response;
    headers.append("X-Dragoman-Cid", cid);
    if (this.#server !== undefined) headers.append("X-Dragoman-Server", this.#server);
    if (this.#isClosing) headers.append("Connection", "close");
    return response;
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

/** False for plain data, which nearly all outputs are. */
function mayStream(output: unknown): output is object {
  if (typeof output !== "object" || output === null || Array.isArray(output)) return false;
  return Object.getPrototypeOf(output) !== Object.prototype || isFileResponse(output) ||
    isStreamResponse(output) || Symbol.asyncIterator in output;
}

interface CustomBody {
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  /** Undefined: the service's own stays. */
  readonly contentType?: string;
}

function customBody(
  exchange: Exchange,
  output: unknown,
  { head, encoding }: { readonly head: ServiceResponse; readonly encoding: OutputEncoding },
): CustomBody {
  if (output === undefined) return { body: null };
  const contentType = head.headers.get("content-type");
  const isRaw = contentType !== null && !/\bjson\b/i.test(contentType);
  if (isRaw && typeof output === "string") return { body: output };
  // Nobody shares the memory of what a service returns with another thread.
  if (isRaw && output instanceof Uint8Array) return { body: output as Uint8Array<ArrayBuffer> };
  if (contentType !== null && !isRaw) return { body: written(output, exchange, json) };
  return { body: written(output, exchange, encoding), contentType: encoding.contentType };
}

function written(
  output: unknown,
  { route }: Exchange,
  encoding: OutputEncoding,
): string | Uint8Array<ArrayBuffer> {
  try {
    return encoding.write(output);
  } catch (error) {
    // Anything else comes from the value itself: a getter, a proxy, a toJSON.
    const { pointer, message } = error instanceof UnwritableError
      ? error
      : { pointer: "", message: reasonOf(error) };
    const service = route?.service ?? "";
    const reason = pointer === "" ? message : `${pointer}: ${message}`;
    const options = { cause: error, details: { errors: [{ pointer, detail: message }] } };
    throw encoding.name === "json"
      ? new PlatformError("SERVICE_OUTPUT_NOT_JSON", { service, reason }, options)
      : new PlatformError("SERVICE_OUTPUT_FORMAT", {
        service,
        format: encoding.name,
        reason,
      }, options);
  }
}
