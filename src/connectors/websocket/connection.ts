import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Deadline, Deadlines } from "../../http/deadlines.ts";
import { judge, rateOf } from "../../http/rate-limit/bucket.ts";
import type { Principal } from "../../security/principal.ts";
import { closeCodes, closeReason } from "./close-codes.ts";
import { Conversation } from "./conversation.ts";
import type { LiveChannel } from "./live-channel.ts";
import type { HandshakeFacts } from "./message-call.ts";

/** What a connection needs of its channel. */
export interface ConnectionHost {
  /** As the newest configuration has it. */
  readonly live: LiveChannel;
  allowsTopic(topic: string): boolean;
  join(connection: SocketConnection, topic: string): void;
  leave(connection: SocketConnection, topic: string): void;
  /** It has ended for us: nothing is sent to it any more. */
  ended(connection: SocketConnection, why: Farewell): void;
}

export interface Farewell {
  readonly code: number;
  readonly reason: string;
}

export interface ConnectionOptions {
  readonly id: string;
  readonly socket: WebSocket;
  readonly facts: HandshakeFacts;
  /** Undefined where nobody has to be known, or the first message says who it is. */
  readonly principal: Principal | undefined;
  readonly host: ConnectionHost;
  readonly deadlines: Deadlines;
}

/**
 * One client. `authenticating` (its first message must say who it is) -> `joining` (credentials and
 * onConnect are waited for; messages wait) -> `open` -> `closing` (no new messages; those being
 * worked on are answered) -> `ended`.
 */
export class SocketConnection {
  readonly id: string;
  readonly facts: HandshakeFacts;
  readonly deadlines: Deadlines;
  readonly topics: Set<string> = new Set();
  principal: Principal | undefined;
  /** True once onConnect let it in. */
  wasOpen = false;
  /** Messages that have no answer yet. */
  working = 0;
  /** When a message last went either way. */
  activeAt: number = performance.now();
  readonly #socket: WebSocket;
  readonly #host: ConnectionHost;
  readonly #conversation: Conversation;
  readonly #closed = Promise.withResolvers<void>();
  readonly #waiting: string[] = [];
  #phase: "authenticating" | "joining" | "open" | "closing" | "ended" = "joining";
  #farewell: Farewell | undefined;
  #patience: Deadline | undefined;
  #rateFullAt = 0;

  constructor({ id, socket, facts, principal, host, deadlines }: ConnectionOptions) {
    this.id = id;
    this.facts = facts;
    this.principal = principal;
    this.deadlines = deadlines;
    this.#socket = socket;
    this.#host = host;
    this.#conversation = new Conversation(this, host);
    socket.addEventListener("message", ({ data }) => this.#receive(data));
    socket.addEventListener("close", ({ code, reason }) => {
      this.#closed.resolve();
      this.#end({ code: code === 0 ? 1006 : code, reason });
    });
  }

  /** Resolves when the socket itself is closed, which an unwilling client can delay for ever. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** To be called when the socket is open. */
  start(): void {
    const { admission, spec } = this.#host.live;
    if (admission === undefined || this.principal !== undefined) return this.enter();
    this.#phase = "authenticating";
    // Only a channel with this field lets anybody come so far.
    const limitMs = spec.authTimeoutMs ?? 0;
    const expire = () => this.#giveUp();
    this.#patience = this.deadlines.start(performance.now(), { limitMs, expire });
  }

  /** Whoever it is may come in, unless onConnect objects. */
  enter(): void {
    if (this.#phase !== "joining") return;
    void this.#work(async () => {
      if (!await this.#conversation.greet() || this.#phase !== "joining") return;
      this.#phase = "open";
      this.wasOpen = true;
      for (const text of this.#waiting.splice(0)) this.#take(text);
    });
  }

  /** Sends a message; a client that does not read what it is sent is dropped instead. */
  send(text: string): void {
    if (this.#phase === "ended" || this.#socket.readyState !== WebSocket.OPEN) return;
    const { spec: { bufferBytesMax }, logger, info } = this.#host.live;
    const waitingBytes = this.#socket.bufferedAmount;
    if (waitingBytes > bufferBytesMax) {
      const about = { channel: info.name, connection: this.id, waitingBytes };
      logger.warn("A WebSocket client does not read and is dropped", about);
      return this.close(closeCodes.tryLater, "Messages are not read");
    }
    this.activeAt = performance.now();
    try {
      this.#socket.send(text);
    } catch (error) {
      logger.debug("A WebSocket message could not be sent", { reason: reasonOf(error) });
    }
  }

  /** Ends it once the messages being worked on are answered. */
  leave(code: number, reason: string): void {
    if (this.#phase === "ended") return;
    this.#phase = "closing";
    this.#farewell ??= { code, reason };
    if (this.working === 0) this.close(code, reason);
  }

  /** Ends it at once. */
  close(code: number, reason: string): void {
    this.#end({ code, reason });
    try {
      this.#socket.close(code, closeReason(reason));
    } catch (error) {
      const { logger } = this.#host.live;
      logger.debug("A WebSocket could not be closed", { reason: reasonOf(error) });
    }
  }

  /** The time for credentials is over. */
  #giveUp(): void {
    if (this.#phase !== "authenticating") return;
    this.close(closeCodes.unauthorized, "No credentials came in time");
  }

  #end(why: Farewell): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#patience?.cancel();
    this.#waiting.length = 0;
    this.#conversation.abandon(new PlatformError("REQUEST_ABANDONED"));
    this.#host.ended(this, why);
  }

  // Whatever is thrown in an event of a socket would end the process.
  #receive(data: unknown): void {
    if (this.#phase === "ended" || this.#phase === "closing") return;
    const { spec } = this.#host.live;
    const now = performance.now();
    this.activeAt = now;
    if (!this.#mayCome(now)) return this.close(closeCodes.policy, "Too many messages");
    if (isTooLarge(data, spec.messageBytesMax)) {
      return this.close(
        closeCodes.tooLarge,
        `A message is larger than ${spec.messageBytesMax} bytes`,
      );
    }
    // Bytes are refused where texts are read.
    const text = typeof data === "string" ? data : undefined;
    if (this.#phase !== "joining") return this.#take(text);
    if (this.#waiting.length < spec.inFlightMax) this.#waiting.push(text ?? "");
    else this.close(closeCodes.policy, "Too many messages before the connection was let in");
  }

  #take(text: string | undefined): void {
    if (this.#phase === "ended") return;
    if (this.#phase === "authenticating") {
      this.#phase = "joining";
      this.#patience?.cancel();
      return void this.#work(async () => {
        if (await this.#conversation.introduce(text)) this.enter();
      });
    }
    void this.#work(() => this.#conversation.take(text));
  }

  async #work(task: () => Promise<void>): Promise<void> {
    this.working++;
    try {
      await task();
    } catch (error) {
      this.#host.live.logger.error("A WebSocket connection failed", { error });
      this.close(closeCodes.internal, "Internal error");
    } finally {
      this.working--;
      const bye = this.#farewell;
      if (bye !== undefined && this.working === 0) this.close(bye.code, bye.reason);
    }
  }

  #mayCome(now: number): boolean {
    const { messagesPerSecond } = this.#host.live.spec;
    const burst = Math.max(1, 2 * messagesPerSecond);
    const rate = rateOf({ requests: messagesPerSecond, perMs: 1_000, burst });
    const fullAt = Math.max(this.#rateFullAt, now) + rate.intervalMs;
    if (!judge(fullAt, now, rate).ok) return false;
    this.#rateFullAt = fullAt;
    return true;
  }
}

function isTooLarge(data: unknown, limit: number): boolean {
  if (typeof data !== "string") return data instanceof ArrayBuffer && data.byteLength > limit;
  // No character takes more than three bytes: most texts need not be measured.
  return data.length > limit || data.length * 3 > limit && Buffer.byteLength(data) > limit;
}
