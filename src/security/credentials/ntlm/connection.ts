import { Agent, type IncomingMessage, request as requestPlain } from "node:http";
import { Agent as SecureAgent, request as requestSecure } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { SendOptions } from "../credential.ts";

/** One request on a connection. */
export interface ConnectionRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
}

/**
 * One connection to one address, for exchanges in which requests belong together. Requests go one
 * after the other; the body of an answer must be read, or dropped, before the next one.
 */
export class Connection {
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #signal: AbortSignal;

  constructor(url: URL, { signal, tls = {} }: SendOptions) {
    this.#url = url;
    this.#signal = signal;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = url.protocol === "https:"
      ? new SecureAgent({ ...options, ...tls })
      : new Agent(options);
  }

  /** Rejects with what broke the connection, or with the signal's reason. */
  async send({ method, headers, body }: ConnectionRequest): Promise<IncomingMessage> {
    const send = this.#url.protocol === "https:" ? requestSecure : requestPlain;
    const request = send(this.#url, {
      method,
      agent: this.#agent,
      headers: headersOf(headers, { method, hasBody: body !== null }),
      signal: this.#signal,
    });
    // Otherwise the client library sends a request again, POST too, when a kept connection breaks.
    request.on("socket", () => request.reusedSocket = false);
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      request.on("response", resolve);
      request.on("error", (error) => reject(this.#signal.aborted ? this.#signal.reason : error));
    });
    if (body === null) request.end();
    else {
      // A server may answer, and close, before it has read everything: then the answer counts.
      const source = Readable.from(body);
      pipeline(source, request).catch((error) => {
        if (!request.destroyed) request.destroy(error);
      });
    }
    return await answer;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Reads an answer to its end and forgets it, so that its connection is free. */
export async function drop(answer: IncomingMessage): Promise<void> {
  // deno-lint-ignore no-empty -- what is read is not wanted
  for await (const _ of answer) {}
}

function headersOf(
  headers: Headers,
  { method, hasBody }: { readonly method: string; readonly hasBody: boolean },
): Record<string, string> {
  const all: Record<string, string> = Object.fromEntries(headers);
  if (hasBody) {
    if (all["content-length"] === undefined) all["transfer-encoding"] = "chunked";
    return all;
  }
  delete all["content-length"];
  delete all["content-type"];
  if (method !== "GET" && method !== "HEAD") all["content-length"] = "0";
  return all;
}
