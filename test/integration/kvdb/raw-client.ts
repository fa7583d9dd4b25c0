import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Buffer } from "node:buffer";

/** A connection that shows replies byte for byte (one character a byte). */
export class RawClient {
  readonly #socket: Socket;
  #received = "";
  #closed = false;
  #onBytes = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#received += Buffer.from(chunk).toString("latin1");
      this.#wake();
    });
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** Sends a request and returns its reply. */
  async request(...args: readonly string[]): Promise<string> {
    this.write(renderRequest(args));
    return await this.reply();
  }

  write(text: string): void {
    this.#socket.write(Buffer.from(text, "latin1"));
  }

  /** The next whole reply. Throws when the connection ends before. */
  async reply(): Promise<string> {
    for (;;) {
      const end = endOfReply(this.#received, 0);
      if (end !== undefined) {
        const reply = this.#received.slice(0, end);
        this.#received = this.#received.slice(end);
        return reply;
      }
      if (this.#closed) throw new Error(`Closed after ${JSON.stringify(this.#received)}`);
      await this.#onBytes.promise;
    }
  }

  /** Everything until the server ends the connection. */
  async rest(): Promise<string> {
    while (!this.#closed) await this.#onBytes.promise;
    return this.#received;
  }

  /** Stops reading, as a client does that is too slow. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #wake(): void {
    this.#onBytes.resolve();
    this.#onBytes = Promise.withResolvers();
  }
}

export function renderRequest(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

/** Where the reply that begins at `at` ends; undefined when it is not whole. */
function endOfReply(text: string, at: number): number | undefined {
  const lineEnd = text.indexOf("\r\n", at);
  if (lineEnd < 0) return undefined;
  const head = lineEnd + 2;
  const count = Number(text.slice(at + 1, lineEnd));
  switch (text[at]) {
    case "$":
    case "=": {
      const end = count < 0 ? head : head + count + 2;
      return end <= text.length ? end : undefined;
    }
    case "*":
    case "~":
    case ">":
      return endOfReplies(text, head, count);
    case "%":
      return endOfReplies(text, head, count * 2);
    default:
      return head;
  }
}

function endOfReplies(text: string, from: number, count: number): number | undefined {
  let at = from;
  for (let i = 0; i < count; i++) {
    const end = endOfReply(text, at);
    if (end === undefined) return undefined;
    at = end;
  }
  return at;
}
