import { Redis, ReplyError } from "ioredis";
import { isPlatformError, PlatformError, reasonOf } from "../errors/platform-error.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Logger } from "../telemetry/logger.ts";
import { type KvdbAddress, parseKvdbUrl } from "./address.ts";

/** A command that has had no answer for this long failed; a silent link is given up. */
const commandTimeoutMs = 2_000;
/** How often an idle link is asked whether it still lives. */
const pingIntervalMs = 1_000;
const reconnectMaxMs = 2_000;

/** Whether the KVDB answers, since when (ISO 8601), and when it does not, why. */
export type KvdbStatus =
  | { readonly state: "up"; readonly since: string }
  | { readonly state: "down"; readonly since: string; readonly reason: string };

export interface KvdbOptions {
  /** `redis://host:port/database`, without credentials. */
  readonly url: string;
  readonly password?: string | undefined;
  /** Names of channels begin with `dragoman:<cluster>:`. */
  readonly cluster: string;
  readonly logger: Logger;
  /** Connect with the first command rather than at once. Default false. */
  readonly lazy?: boolean;
}

/** Takes a subscription back; the same call twice is harmless. */
export type Unsubscribe = () => Promise<void>;

/** A command of Redis: its name, then its arguments. */
export type KvdbCommand = readonly [name: string, ...args: readonly (string | number)[]];

/** Runs commands of Redis; rejects with KVDB_UNREACHABLE and KVDB_COMMAND_FAILED. */
export interface KvdbCommands {
  command(command: KvdbCommand): Promise<unknown>;
  /** Between MULTI and EXEC, in one go: all of them or none. Resolves to their replies. */
  transaction(commands: readonly KvdbCommand[]): Promise<readonly unknown[]>;
}

/**
 * A link to the KVDB that mends itself: it reconnects for ever (back-off up to 2 s), notices a
 * server that went silent within 3 s, and takes subscriptions up again. While it is down, commands
 * fail at once with KVDB_UNREACHABLE; nothing is queued. Works with Redis 6 or newer, Valkey and
 * the embedded server.
 */
export interface Kvdb extends KvdbCommands {
  /** Resolves when the server answers. */
  ping(): Promise<void>;
  /** Sends to every subscriber of the cluster's channel and returns how many there were. */
  publish(channel: string, message: string): Promise<number>;
  /**
   * Calls `onMessage` for each message of the cluster's channel until the returned function is
   * called. When the link is up it resolves once the server has confirmed; when it is down it
   * resolves at once and takes effect with the next connection. Messages published while the link
   * is down are lost: they are hints, not data.
   */
  subscribe(channel: string, onMessage: (message: string) => void): Promise<Unsubscribe>;
  status(): KvdbStatus;
  /** The link itself, for every other command; it fails as fast, with errors of ioredis. */
  readonly redis: Redis;
  /** Ends the link for good. May be called more than once. */
  close(): Promise<void>;
}

/** Opens a link in the background; throws only for a wrong URL. Must be closed. */
export function openKvdb(options: KvdbOptions): Kvdb {
  return new RedisKvdb(options);
}

class RedisKvdb implements Kvdb {
  readonly redis: Redis;
  readonly #address: KvdbAddress;
  readonly #prefix: string;
  readonly #logger: Logger;
  readonly #listeners = new Map<string, Set<(message: string) => void>>();
  readonly #pinger: ReturnType<typeof setInterval>;
  #status: KvdbStatus = downNow("Not connected yet");
  #lastError: string | undefined;
  #closed = false;
  #pinging = false;
  /** Settles with the first outcome, up or down, so that a fresh link need not be waited for. */
  readonly #tried = Promise.withResolvers<void>();

  constructor({ url, password, cluster, logger, lazy = false }: KvdbOptions) {
    this.#address = parseKvdbUrl(url);
    this.#prefix = `dragoman:${cluster}:`;
    this.#logger = logger.child({ kvdb: this.#address.label });
    this.redis = new Redis({
      host: this.#address.host,
      port: this.#address.port,
      db: this.#address.database,
      ...(password === undefined ? {} : { password }),
      lazyConnect: true,
      connectTimeout: commandTimeoutMs,
      commandTimeout: commandTimeoutMs,
      // How long a link that we gave up may take to close before it is destroyed.
      disconnectTimeout: 200,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false, // done in #onReady, together with what was subscribed while down
      retryStrategy: (attempt) => backoffMs(attempt, { firstMs: 50, maxMs: reconnectMaxMs }),
    });
    this.redis.on("ready", () => this.#onReady());
    this.redis.on("error", (error: Error) => this.#onError(error));
    this.redis.on("close", () => this.#onDown(this.#lastError ?? "The connection was closed"));
    this.redis.on("message", (channel: string, text: string) => this.#onMessage(channel, text));
    this.#pinger = setInterval(() => void this.#checkLink(), pingIntervalMs);
    this.#pinger.unref();
    if (!lazy) this.#connect();
  }

  status(): KvdbStatus {
    return this.#status;
  }

  async ping(): Promise<void> {
    await this.#run("PING", () => this.redis.ping());
  }

  publish(channel: string, message: string): Promise<number> {
    return this.#run("PUBLISH", () => this.redis.publish(this.#prefix + channel, message));
  }

  command([name, ...args]: KvdbCommand): Promise<unknown> {
    return this.#run(name.toUpperCase(), () => this.redis.call(name, ...args));
  }

  async transaction(commands: readonly KvdbCommand[]): Promise<readonly unknown[]> {
    const names = commands.map(([name]) => name.toUpperCase()).join(", ");
    return await this.#run(names, async () => {
      const multi = this.redis.multi();
      for (const [name, ...args] of commands) multi.call(name, ...args);
      const replies = await multi.exec() ?? [];
      return replies.map(([error, reply]) => {
        if (error !== null) throw error;
        return reply;
      });
    });
  }

  async subscribe(channel: string, onMessage: (message: string) => void): Promise<Unsubscribe> {
    if (this.#closed) throw new PlatformError("KVDB_CLOSED", { address: this.#address.label });
    const name = this.#prefix + channel;
    // A function of its own, so that one callback may be subscribed twice.
    const listener = (message: string) => onMessage(message);
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    try {
      await this.#run("SUBSCRIBE", () => this.redis.subscribe(name));
    } catch (error) {
      // An unreachable server is made up for on the next connection; a refusal is final.
      if (!isPlatformError(error, "KVDB_UNREACHABLE")) {
        this.#forget(name, listener);
        throw error;
      }
    }
    return async () => {
      if (!this.#forget(name, listener) || this.#status.state === "down") return;
      // A link that breaks now forgets the subscription by itself.
      await this.#run("UNSUBSCRIBE", () => this.redis.unsubscribe(name)).catch(() => {});
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#pinger);
    this.#listeners.clear();
    // Between two attempts there is no connection whose end could be waited for.
    const isOpen = ["connecting", "connect", "ready"].includes(this.redis.status);
    const ended = new Promise<void>((resolve) => this.redis.once("end", () => resolve()));
    this.redis.disconnect();
    if (isOpen) await ended;
    this.#onDown("The connection was closed by this process");
  }

  #connect(): void {
    // A failed first connection is reported by its events and retried by ioredis.
    this.redis.connect().catch(() => {});
  }

  async #run<T>(command: string, send: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new PlatformError("KVDB_CLOSED", { address: this.#address.label });
    if (this.redis.status === "wait") this.#connect();
    await this.#tried.promise;
    if (this.#status.state === "down") throw this.#unreachable(this.#status.reason);
    try {
      return await send();
    } catch (error) {
      if (error instanceof ReplyError) {
        const params = { address: this.#address.label, command, reason: reasonOf(error) };
        throw new PlatformError("KVDB_COMMAND_FAILED", params, { cause: error });
      }
      throw this.#unreachable(this.#lastError ?? reasonOf(error), error);
    }
  }

  #unreachable(reason: string, cause?: unknown): PlatformError {
    return new PlatformError("KVDB_UNREACHABLE", { address: this.#address.label, reason }, {
      cause,
    });
  }

  /** True when `listener` was the last one of its channel. */
  #forget(name: string, listener: (message: string) => void): boolean {
    const listeners = this.#listeners.get(name);
    if (!listeners?.delete(listener) || listeners.size > 0) return false;
    return this.#listeners.delete(name);
  }

  #onReady(): void {
    if (this.#closed) return;
    this.#lastError = undefined;
    this.#status = { state: "up", since: new Date().toISOString() };
    this.#logger.info("KVDB is up");
    this.#tried.resolve();
    const names = [...this.#listeners.keys()];
    if (names.length === 0) return;
    this.redis.subscribe(...names).catch((error) => this.#giveUpLink(reasonOf(error)));
  }

  #onError(error: Error): void {
    this.#lastError = reasonOf(error);
    this.#onDown(this.#lastError);
  }

  #onDown(reason: string): void {
    this.#tried.resolve();
    const previous = this.#status;
    if (previous.state === "down" && previous.reason === reason) return;
    // A new reason for the same outage does not change since when it lasts.
    this.#status = previous.state === "down" ? { ...previous, reason } : downNow(reason);
    if (!this.#closed) this.#logger.warn("KVDB is down", { reason });
  }

  #onMessage(name: string, message: string): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(message);
      } catch (error) {
        this.#logger.error("A KVDB subscriber failed", { channel: name, error });
      }
    }
  }

  /** A frozen server or a cut cable closes nothing: only an unanswered ping tells. */
  async #checkLink(): Promise<void> {
    if (this.#pinging || this.redis.status !== "ready") return;
    this.#pinging = true;
    try {
      await this.redis.ping();
    } catch (error) {
      // A refusal (such as a server that is still loading) is an answer, too.
      if (!(error instanceof ReplyError)) this.#giveUpLink("It does not answer");
    } finally {
      this.#pinging = false;
    }
  }

  #giveUpLink(reason: string): void {
    if (this.#closed || this.redis.status !== "ready") return;
    this.#lastError = reason;
    this.#onDown(reason);
    this.redis.disconnect(true);
  }
}

function downNow(reason: string): KvdbStatus {
  return { state: "down", since: new Date().toISOString(), reason };
}
