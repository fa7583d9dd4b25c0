import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** One answer, read to its end. */
export interface RawResponse {
  readonly status: number;
  /** Names in lower case; of repeated fields the last one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Why there is no whole answer, such as `reset`, `truncated answer` or `timed out`. */
export class ExchangeFailure extends Error {}

/**
 * A keep-alive HTTP/1.1 connection that sends each request exactly once, on this socket and no
 * other: what ordinary clients mend in silence, it reports.
 */
export class RawConnection {
  readonly #socket: Socket;
  readonly #connected: Promise<void>;
  #received = Buffer.alloc(0);
  #closed: ExchangeFailure | undefined;
  #wake: () => void = () => {};

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#connected = new Promise((resolve, reject) => {
      this.#socket.once("connect", resolve).once("error", (error) => {
        reject(new ExchangeFailure(`connect: ${codeOf(error)}`));
      });
    });
    this.#connected.catch(() => {}); // told to whoever sends on it
    this.#socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const end = (reason: string) => {
      this.#closed ??= new ExchangeFailure(reason);
      this.#wake();
    };
    this.#socket.on(
      "error",
      (error) => end(codeOf(error) === "ECONNRESET" ? "reset" : codeOf(error)),
    );
    this.#socket.on("end", () => end("closed")).on("close", () => end("closed"));
  }

  /** False once it is known that nothing more can be sent on it. */
  get isUsable(): boolean {
    return this.#closed === undefined;
  }

  /** Sends a request and reads its answer; rejects with an ExchangeFailure when there is none. */
  async exchange(
    request: string,
    { method, timeoutMs }: { readonly method: string; readonly timeoutMs: number },
  ): Promise<RawResponse> {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.#wake();
    }, timeoutMs);
    try {
      await Promise.race([this.#connected, this.#change(() => timedOut)]);
      this.#socket.write(request);
      for (;;) {
        const answer = parseResponse(this.#received, method, this.#closed !== undefined);
        if (answer !== undefined) return this.#take(answer);
        if (timedOut) throw new ExchangeFailure(`timed out after ${timeoutMs} ms`);
        if (this.#closed !== undefined) throw this.#describeLoss(this.#closed);
        await this.#change(() => timedOut);
      }
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#closed ??= new ExchangeFailure("closed");
    this.#socket.destroy();
  }

  #take({ response, bytes }: ParsedResponse): RawResponse {
    this.#received = this.#received.subarray(bytes);
    if (this.#received.length > 0) throw new ExchangeFailure("more than one answer");
    if (/\bclose\b/i.test(response.headers["connection"] ?? "")) this.close();
    return response;
  }

  #describeLoss(loss: ExchangeFailure): ExchangeFailure {
    if (this.#received.length > 0) return new ExchangeFailure("truncated answer");
    return loss.message === "closed" ? new ExchangeFailure("closed without an answer") : loss;
  }

  /** Settles at the next chunk, end, error or time-out; at once when `happened` already. */
  #change(happened: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (happened()) resolve();
    });
  }
}

interface ParsedResponse {
  readonly response: RawResponse;
  /** Length of the whole answer. */
  readonly bytes: number;
}

/** The answer at the beginning of `data`; undefined while it is not whole. */
export function parseResponse(
  data: Buffer,
  method: string,
  ended: boolean,
): ParsedResponse | undefined {
  const headEnd = data.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [statusLine = "", ...lines] = data.toString("latin1", 0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) throw new ExchangeFailure("not an HTTP answer");
  const headers = Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const start = headEnd + 4;
  if (status < 200) {
    return parseAfterInterim(data.subarray(start), method, { ended, skipped: start });
  }
  const body = readBody(data.subarray(start), { method, status, headers, ended });
  if (body === undefined) return undefined;
  return { response: { status, headers, body: body.text }, bytes: start + body.bytes };
}

function parseAfterInterim(
  rest: Buffer,
  method: string,
  { ended, skipped }: { readonly ended: boolean; readonly skipped: number },
): ParsedResponse | undefined {
  const next = parseResponse(rest, method, ended);
  return next && { response: next.response, bytes: next.bytes + skipped };
}

interface BodyFraming extends Omit<RawResponse, "body"> {
  readonly method: string;
  readonly ended: boolean;
}

interface ReadBody {
  readonly text: string;
  readonly bytes: number;
}

function readBody(data: Buffer, framing: BodyFraming): ReadBody | undefined {
  const { method, status, headers, ended } = framing;
  if (method === "HEAD" || status === 204 || status === 304) return { text: "", bytes: 0 };
  if (headers["transfer-encoding"] !== undefined) return readChunks(data);
  const length = headers["content-length"];
  const bytes = length === undefined ? data.length : Number(length);
  if (length === undefined ? !ended : data.length < bytes) return undefined;
  return { text: data.toString("utf8", 0, bytes), bytes };
}

function readChunks(data: Buffer): ReadBody | undefined {
  const parts: Buffer[] = [];
  for (let at = 0;;) {
    const lineEnd = data.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(data.toString("latin1", at, lineEnd), 16);
    if (Number.isNaN(size)) throw new ExchangeFailure("malformed chunk");
    const start = lineEnd + 2;
    if (data.length < start + size + 2) return undefined;
    if (size === 0) return { text: Buffer.concat(parts).toString("utf8"), bytes: start + 2 };
    parts.push(data.subarray(start, start + size));
    at = start + size + 2;
  }
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : error.message;
}
