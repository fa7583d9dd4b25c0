import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ClientLimits } from "./client-limits.ts";

/** How long a client that was told goodbye may take to close its side. */
const lingerMs = 1_000;

export interface Surplus {
  readonly refused: 429 | 503;
  readonly detail: string;
}

interface Connection {
  /** Responses that are not over; more than one when the client pipelines. */
  readonly exchanges: Set<ServerResponse>;
  /** Why its first request is refused: it came when the balancer, or its client, had enough. */
  readonly surplus: Surplus | undefined;
  /** Nothing that follows on it is looked at. */
  condemned: boolean;
  /** It changed its protocol, so that only its ends know when it is over. */
  upgraded: boolean;
}

const full: Surplus = {
  refused: 503,
  detail: "The balancer has reached its limit of connections",
};
const tooMany: Surplus = { refused: 429, detail: "The client has too many connections" };

/** The connections that clients have open. */
export class ClientConnections {
  readonly #max: number;
  readonly #limits: ClientLimits;
  readonly #open = new Map<Duplex, Connection>();
  #closing = false;
  #onEmpty: (() => void) | undefined;

  constructor(max: number, limits: ClientLimits) {
    this.#max = max;
    this.#limits = limits;
  }

  get count(): number {
    return this.#open.size;
  }

  /** True once `close` was called: every answer says that its connection ends. */
  get isClosing(): boolean {
    return this.#closing;
  }

  add(socket: Duplex & { readonly remoteAddress?: string | undefined }): void {
    const { isSurplus, close } = this.#limits.open(socket.remoteAddress ?? "");
    socket.once("close", close);
    const surplus = this.#open.size >= this.#max ? full : isSurplus ? tooMany : undefined;
    this.#open.set(socket, { exchanges: new Set(), surplus, condemned: false, upgraded: false });
    socket.on("error", () => {}); // what went wrong shows in the exchange; "close" follows
    socket.once("close", () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) this.#onEmpty?.();
    });
  }

  /** Why a connection is one too many; undefined when it is not. */
  surplus(socket: Duplex): Surplus | undefined {
    return this.#open.get(socket)?.surplus;
  }

  /** False for one that never got as far as HTTP. */
  has(socket: Duplex): boolean {
    return this.#open.has(socket);
  }

  /**
   * Marks a connection as busy until `response` is over. Requests of one connection take turns, as
   * their client may count on: what is returned, if anything, resolves when it is this one's turn.
   */
  hold(socket: Duplex, response: ServerResponse): Promise<void> | undefined {
    const connection = this.#open.get(socket);
    const before = [...connection?.exchanges ?? []].at(-1);
    connection?.exchanges.add(response);
    response.once("close", () => {
      connection?.exchanges.delete(response);
      // An answer that began before it was known that the connection ends has promised to keep it.
      const isLast = this.#closing || connection?.condemned === true;
      if (isLast && connection?.exchanges.size === 0) this.finish(socket);
    });
    return before && new Promise((resolve) => before.once("close", resolve));
  }

  /** Marks a connection as busy until it ends by itself. */
  holdForEver(socket: Duplex): void {
    const connection = this.#open.get(socket);
    if (connection !== undefined) connection.upgraded = true;
  }

  /**
   * Lets what is in flight on a connection finish and takes nothing more from it: after a request
   * that is refused nobody knows what the bytes that follow mean.
   */
  condemn(socket: Duplex): void {
    const connection = this.#open.get(socket);
    if (connection !== undefined) connection.condemned = true;
  }

  /**
   * Says a last word, if there is one, and ends a connection. It is not cut at once: what the client
   * is still sending would have its system throw away what it has not read.
   */
  finish(socket: Duplex, lastWord?: string): void {
    if (lastWord === undefined) socket.end();
    else socket.end(lastWord);
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => clearTimeout(timer));
  }

  isCondemned(socket: Duplex): boolean {
    return this.#open.get(socket)?.condemned ?? false;
  }

  /** The responses on a connection that are not over. */
  exchanges(socket: Duplex): readonly ServerResponse[] {
    return [...this.#open.get(socket)?.exchanges ?? []];
  }

  /** Ends idle connections, waits for the others for at most `waitMs`, then ends those too. */
  async close(waitMs: number): Promise<void> {
    this.#closing = true;
    for (const [socket, { exchanges, upgraded }] of this.#open) {
      if (exchanges.size === 0 && !upgraded) socket.destroy();
    }
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => this.#onEmpty = resolve);
    const timer = setTimeout(() => {
      for (const socket of this.#open.keys()) socket.destroy();
    }, waitMs);
    await empty;
    clearTimeout(timer);
  }
}
