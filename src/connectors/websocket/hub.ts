import { PlatformError } from "../../errors/platform-error.ts";
import { createCid } from "../../http/cid.ts";
import type { Deadlines } from "../../http/deadlines.ts";
import type { Principal } from "../../security/principal.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { PushTarget } from "../../service/socket-push.ts";
import type { SocketClients } from "../contract.ts";
import { closeCodes } from "./close-codes.ts";
import { type ConnectionHost, type Farewell, SocketConnection } from "./connection.ts";
import { type LiveChannel, timeoutOf } from "./live-channel.ts";
import { pushText } from "./message.ts";
import { type HandshakeFacts, MessageCall } from "./message-call.ts";
import { compileTopics, topicsMax } from "./topics.ts";

/** How often idle connections and expired credentials are looked for. */
const sweepMs = 1_000;
/** How late a token may be: what definitions allow, unless they say otherwise. */
const clockSkewSeconds = 30;
/** So long clients may take to say goodbye, too. */
const farewellMs = 1_000;

export interface NewConnection {
  readonly socket: WebSocket;
  readonly id: string;
  readonly facts: HandshakeFacts;
  readonly principal: Principal | undefined;
  readonly deadlines: Deadlines;
}

/** The clients of one revision of a channel. They stay while configurations come and go. */
export class SocketHub implements ConnectionHost, SocketClients {
  readonly #connections = new Map<string, SocketConnection>();
  readonly #topics = new Map<string, Set<SocketConnection>>();
  /** Sockets that are not closed yet, whatever became of their connections. */
  readonly #sockets = new Set<SocketConnection>();
  readonly #goodbyes = new Set<Promise<void>>();
  #live: LiveChannel | undefined;
  #allowsTopic: (topic: string) => boolean = () => false;
  #sweeper: ReturnType<typeof setInterval> | undefined;
  #isShut = false;
  #onEmpty: () => void = () => {};

  get live(): LiveChannel {
    return this.#live!; // nothing connects before the first `use`
  }

  /** From the next message on, the channel is this one. */
  use(live: LiveChannel): void {
    const before = this.#live;
    this.#live = live;
    this.#allowsTopic = compileTopics(live.spec.topics ?? []);
    // Who was let in by definitions that are others now has to show that they still hold.
    if (before === undefined || before.admission?.guard === live.admission?.guard) return;
    this.closeAll(closeCodes.restart, "Security has changed: connect again");
  }

  /** Throws SOCKET_FULL and REQUEST_NOT_READY. */
  requireRoom(): void {
    if (this.#isShut) throw new PlatformError("REQUEST_NOT_READY", { reason: "It is draining" });
    if (this.#sockets.size < this.live.spec.connectionsMax) return;
    throw new PlatformError("SOCKET_FULL", {}, { retryAfterMs: 5_000 });
  }

  /** Takes a socket that is about to open. */
  welcome({ socket, ...options }: NewConnection): void {
    socket.binaryType = "arraybuffer";
    const connection = new SocketConnection({ ...options, socket, host: this });
    socket.addEventListener("open", () => {
      this.#sockets.add(connection);
      void connection.closed.then(() => this.#release(connection));
      if (this.#isShut) return connection.close(closeCodes.goingAway, "The server is stopping");
      this.#connections.set(connection.id, connection);
      this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs);
      connection.start();
    });
  }

  /** Messages that have no answer yet. */
  get inFlight(): number {
    return this.#connections.values().reduce((sum, { working }) => sum + working, 0);
  }

  /** Sends data, as JSON text, to every client that matches; returns how many. */
  deliver(json: string, { connection, topic, principal, subject }: PushTarget): number {
    const text = pushText(json, topic);
    let count = 0;
    for (const one of this.#candidates(connection, topic)) {
      if (!one.wasOpen) continue;
      if (principal !== undefined && one.principal?.name !== principal) continue;
      if (subject !== undefined && one.principal?.subject !== subject) continue;
      one.send(text);
      count++;
    }
    return count;
  }

  /** Ends all connections once their messages are answered; new ones may come. */
  closeAll(code: number, reason: string): void {
    for (const connection of [...this.#connections.values()]) connection.leave(code, reason);
  }

  /** The same, for good. */
  shut(code: number, reason: string): void {
    this.#isShut = true;
    this.closeAll(code, reason);
  }

  /** Shuts it because the process ends; resolves when everybody has gone. */
  async drain(): Promise<void> {
    this.shut(closeCodes.goingAway, "The server is stopping: connect again");
    if (this.#connections.size > 0) await new Promise<void>((done) => this.#onEmpty = done);
    const closed = Promise.all([...this.#sockets].map((socket) => socket.closed));
    await withTimeout(
      closed.then(() => {}),
      farewellMs,
      () => new Error("Not all clients answered"),
    )
      .catch(() => {}); // whoever does not say goodbye is cut off
    await Promise.all(this.#goodbyes);
  }

  allowsTopic(topic: string): boolean {
    return this.#allowsTopic(topic);
  }

  /** Throws SOCKET_TOPICS_MAX. */
  join(connection: SocketConnection, topic: string): void {
    if (!this.#connections.has(connection.id) || connection.topics.has(topic)) return;
    if (connection.topics.size >= topicsMax) {
      throw new PlatformError("SOCKET_TOPICS_MAX", { limit: topicsMax });
    }
    connection.topics.add(topic);
    const members = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, members.add(connection));
  }

  leave(connection: SocketConnection, topic: string): void {
    connection.topics.delete(topic);
    const members = this.#topics.get(topic);
    if (members?.delete(connection) && members.size === 0) this.#topics.delete(topic);
  }

  ended(connection: SocketConnection, why: Farewell): void {
    this.#connections.delete(connection.id);
    if (this.#connections.size === 0) this.#onEmpty();
    const topics = [...connection.topics];
    for (const topic of topics) this.leave(connection, topic);
    if (!connection.wasOpen || this.live.onDisconnect === undefined) return;
    const goodbye = this.#sayGoodbye(connection, { ...why, topics });
    this.#goodbyes.add(goodbye);
    void goodbye.finally(() => this.#goodbyes.delete(goodbye));
  }

  #candidates(
    id: string | undefined,
    topic: string | undefined,
  ): Iterable<SocketConnection> {
    if (id === undefined) {
      return topic === undefined ? this.#connections.values() : this.#topics.get(topic) ?? [];
    }
    const one = this.#connections.get(id);
    return one === undefined || topic !== undefined && !one.topics.has(topic) ? [] : [one];
  }

  async #sayGoodbye(
    { id, principal, facts, deadlines }: SocketConnection,
    why: Farewell & { readonly topics: readonly string[] },
  ): Promise<void> {
    const { live } = this;
    const runnable = live.onDisconnect!; // asked for by the caller
    const cid = createCid();
    const call = new MessageCall({
      cid,
      origin: { connection: id, principal, facts, text: undefined },
      runtime: live.runtime,
      timeoutMs: timeoutOf(live, runnable),
      deadlines,
    });
    try {
      await call.run(runnable, { connection: id, ...why });
    } catch (error) {
      live.logger.error("onDisconnect failed", { cid, channel: live.info.name, error });
    }
  }

  #sweep(): void {
    const { idleMs } = this.live.spec;
    const now = performance.now();
    const today = Date.now() / 1_000;
    for (const connection of [...this.#connections.values()]) {
      const expires = connection.principal?.claims?.["exp"];
      if (typeof expires === "number" && expires + clockSkewSeconds < today) {
        connection.leave(closeCodes.unauthorized, "The credentials have expired");
      } else if (idleMs !== undefined && now - connection.activeAt > idleMs) {
        if (connection.working === 0) connection.close(closeCodes.goingAway, "Nothing was said");
      }
    }
  }

  #release(connection: SocketConnection): void {
    this.#sockets.delete(connection);
    if (this.#sockets.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
