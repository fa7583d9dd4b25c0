import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { delay } from "../../lib/wait.ts";

/** What is wrong with a link. They add up; an empty object is a good link. */
export interface LinkFaults {
  /** Every piece of data comes this much later, in each direction. */
  readonly delayMs?: number;
  /** No more than this passes in each direction. */
  readonly bytesPerSecond?: number;
  /** Present connections are reset, and new ones refused. */
  readonly down?: boolean;
  /**
   * Nothing passes and nothing ends: all of it, only what clients send, or only what they would be
   * answered. What was held back passes when the link is good again.
   */
  readonly frozen?: "both" | "requests" | "answers";
  /** A connection is reset after so many bytes of answers, in the middle of whatever it is. */
  readonly cutAfterBytes?: number;
}

/** A TCP link through this process whose faults can be set while it runs. */
export interface FaultProxy {
  /** On 127.0.0.1, the same for its whole life. */
  readonly port: number;
  /** How many connections pass through it now. */
  readonly connections: number;
  /** Replaces all faults, for present connections as well. Resolves when that is so. */
  set(faults: LinkFaults): Promise<void>;
  /** Resets every present connection once; new ones are welcome. */
  reset(): void;
  close(): Promise<void>;
}

/** Opens a link to `target`, without faults at first. */
export async function openFaultProxy(
  target: { readonly host: string; readonly port: number },
): Promise<FaultProxy> {
  const proxy = new TcpFaultProxy(target);
  await proxy.listen(0);
  return proxy;
}

class TcpFaultProxy implements FaultProxy {
  port = 0;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #links = new Set<Link>();
  readonly #state: LinkState = { faults: {}, changed: Promise.resolve(), announce: () => {} };
  #server: Server | undefined;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    renew(this.#state);
  }

  get connections(): number {
    return this.#links.size;
  }

  async listen(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const upstream = connect({ ...this.#target, noDelay: true, allowHalfOpen: true });
      const link = new Link(client, upstream, this.#state);
      this.#links.add(link);
      void link.ended.then(() => this.#links.delete(link));
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The proxy has no port");
    this.port = address.port;
    this.#server = server;
  }

  async set(faults: LinkFaults): Promise<void> {
    this.#state.faults = faults;
    renew(this.#state);
    if (faults.down === true) return this.#unlisten();
    if (this.#server === undefined) await this.listen(this.port);
  }

  reset(): void {
    for (const link of this.#links) link.reset();
  }

  async close(): Promise<void> {
    await this.#unlisten();
  }

  async #unlisten(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server && once(server, "close");
    server?.close();
    this.reset();
    await closed;
  }
}

interface LinkState {
  faults: LinkFaults;
  /** Settles when `faults` are replaced. */
  changed: Promise<void>;
  announce: () => void;
}

function renew(state: LinkState): void {
  state.announce();
  state.changed = new Promise((resolve) => state.announce = resolve);
}

/** One connection: two directions, each in order. */
class Link {
  readonly ended: Promise<void>;
  readonly #sockets: readonly Socket[];
  readonly #state: LinkState;
  #answered = 0;
  #isOver = false;
  #finish: () => void = () => {};

  constructor(client: Socket, upstream: Socket, state: LinkState) {
    this.#sockets = [client, upstream];
    this.#state = state;
    this.ended = new Promise((resolve) => this.#finish = resolve);
    this.#pump(client, upstream, "requests");
    this.#pump(upstream, client, "answers");
    for (const socket of this.#sockets) {
      socket.on("error", () => this.reset());
      // A half that ended in order leaves the other one to finish what it has.
      socket.on("close", () => this.#sockets.every(({ destroyed }) => destroyed) && this.#end());
    }
  }

  reset(): void {
    if (this.#isOver) return;
    this.#end();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #end(): void {
    this.#isOver = true;
    this.#finish();
  }

  #pump(from: Socket, to: Socket, direction: "requests" | "answers"): void {
    let last = Promise.resolve();
    const inOrder = (step: () => Promise<void>) => {
      last = last.then(() => this.#isOver ? undefined : step());
    };
    from.on("data", (chunk: Uint8Array) => {
      from.pause();
      inOrder(async () => {
        await this.#pass(chunk, to, direction);
        from.resume();
      });
    });
    from.on("end", () =>
      inOrder(async () => {
        await this.#untilOpen(direction);
        to.end();
      }));
  }

  async #pass(chunk: Uint8Array, to: Socket, direction: "requests" | "answers"): Promise<void> {
    await this.#untilOpen(direction);
    const { delayMs = 0, bytesPerSecond = Infinity, cutAfterBytes = Infinity } = this.#state.faults;
    const waitMs = delayMs + chunk.length / bytesPerSecond * 1_000;
    if (waitMs > 0) await delay(waitMs);
    if (this.#isOver || to.destroyed) return;
    if (direction === "answers") this.#answered += chunk.length;
    const surplus = direction === "answers" ? this.#answered - cutAfterBytes : 0;
    if (surplus > 0) return this.#cut(chunk.subarray(0, chunk.length - surplus), to);
    if (!to.write(chunk)) {
      await Promise.race([once(to, "drain").catch(() => {}), once(to, "close"), this.ended]);
    }
  }

  /** The last piece must be on its way before the reset, which would overtake it. */
  async #cut(rest: Uint8Array, to: Socket): Promise<void> {
    if (rest.length > 0) await new Promise((resolve) => to.write(rest, resolve));
    this.reset();
  }

  async #untilOpen(direction: "requests" | "answers"): Promise<void> {
    for (;;) {
      const { frozen } = this.#state.faults;
      if (this.#isOver || frozen === undefined || (frozen !== "both" && frozen !== direction)) {
        return;
      }
      await Promise.race([this.#state.changed, this.ended]);
    }
  }
}
