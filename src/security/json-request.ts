import { request as requestPlain, type RequestOptions } from "node:http";
import { request as requestSecure } from "node:https";

export interface JsonRequest {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM; default: the system's authorities. */
  readonly ca?: string | undefined;
  readonly timeoutMs: number;
}

export interface JsonReply {
  readonly status: number;
  /** Undefined when the body is not JSON. */
  readonly json: unknown;
}

/** No honest answer of a provider of keys or tokens is larger. */
const bodyBytesMax = 1_000_000;

/**
 * Asks a provider of keys or tokens, over a connection of its own: nothing is sent twice, redirects
 * are answers and not followed. Rejects with an Error that says what went wrong and quotes nothing
 * of what was sent.
 */
export function requestJson(
  { url, method, headers = {}, body = "", ca, timeoutMs }: JsonRequest,
): Promise<JsonReply> {
  return new Promise((resolve, reject) => {
    const isSecure = url.startsWith("https:");
    const options: RequestOptions & { ca?: string } = {
      method,
      agent: false,
      headers: {
        Accept: "application/json",
        ...headers,
        "Content-Length": Buffer.byteLength(body),
      },
      signal: AbortSignal.timeout(timeoutMs),
      ...(ca === undefined ? {} : { ca }),
    };
    const request = (isSecure ? requestSecure : requestPlain)(url, options);
    const fail = (error: Error) => {
      const isLate = error.name === "AbortError" || error.name === "TimeoutError";
      reject(isLate ? new Error(`no answer within ${timeoutMs} ms`) : error);
      request.destroy();
    };
    request.on("error", fail);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("error", fail);
      response.on("aborted", () => fail(new Error("the answer was cut off")));
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > bodyBytesMax) fail(new Error(`the answer is larger than ${bodyBytesMax} bytes`));
        else chunks.push(chunk);
      });
      response.on("end", () => {
        if (!response.complete) return fail(new Error("the answer was cut off"));
        const json = parseJson(Buffer.concat(chunks).toString("utf8"));
        resolve({ status: response.statusCode ?? 0, json });
      });
    });
    request.end(body);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says what it wanted instead
  }
}
