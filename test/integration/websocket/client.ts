import { poll } from "../../../src/lib/wait.ts";

/** What came over a connection: an answer, a push, a greeting. */
export interface Incoming {
  readonly type?: string;
  readonly id?: string | number;
  readonly ok?: boolean;
  readonly output?: unknown;
  readonly error?: {
    readonly status: number;
    readonly code?: string;
    readonly detail?: string;
    readonly cid?: string;
    readonly errors?: readonly { readonly pointer: string }[];
  };
  readonly topic?: string;
  readonly data?: unknown;
  readonly connection?: string;
}

/** A client as browsers have it, whose messages can be waited for. */
export class SocketClient implements Disposable {
  readonly socket: WebSocket;
  /** Everything that came and was not taken. */
  readonly inbox: Incoming[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  #nextId = 1;

  constructor(url: string, options: { headers?: Record<string, string>; protocols?: string[] }) {
    // The runtime's WebSocket takes headers, which browsers do not let pages set.
    const given = options as unknown as string[];
    this.socket = new WebSocket(url.replace(/^http/, "ws"), given);
    this.socket.addEventListener("message", ({ data }) => this.inbox.push(JSON.parse(data)));
    this.closed = new Promise((resolve) => {
      this.socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
    });
  }

  /** Rejects when the handshake is refused. */
  opened(): Promise<this> {
    return new Promise((resolve, reject) => {
      this.socket.addEventListener("open", () => resolve(this));
      this.socket.addEventListener("error", () => reject(new Error("Not connected")));
    });
  }

  /** Takes the first message that matches and has come, or will within 10 s. */
  async take(matches: (message: Incoming) => boolean): Promise<Incoming> {
    const found = await poll(() => {
      const index = this.inbox.findIndex(matches);
      return index < 0 ? undefined : this.inbox.splice(index, 1)[0];
    }, { timeoutMs: 10_000, intervalMs: 2 });
    if (found === undefined) throw new Error(`It never came: ${JSON.stringify(this.inbox)}`);
    return found;
  }

  /** The greeting, with the connection's id. */
  async welcomed(): Promise<string> {
    return (await this.take(({ type }) => type === "connected")).connection!;
  }

  push(): Promise<Incoming> {
    return this.take(({ type }) => type === "push");
  }

  send(message: unknown): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Sends a message with an id, and waits for its answer. */
  ask(message: Record<string, unknown>): Promise<Incoming> {
    const id = this.#nextId++;
    this.send({ id, ...message });
    return this.take((answer) => answer.id === id);
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/** Connects, and waits for the greeting. */
export async function connectClient(
  url: string,
  headers: Record<string, string> = {},
): Promise<SocketClient> {
  const client = await new SocketClient(url, { headers }).opened();
  await client.welcomed();
  return client;
}
