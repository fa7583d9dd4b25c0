import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { toByteText } from "./byte-text.ts";
import { Connection, type ConnectionHost } from "./connection.ts";
import { Engine } from "./engine.ts";
import { AppendOnlyFile } from "./persistence/append-only-file.ts";
import { lockDataFile } from "./persistence/data-lock.ts";
import { error } from "./replies.ts";
import { EngineSettings } from "./settings.ts";

export interface EmbeddedServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly password?: string | undefined;
  /** Where `appendonly.aof` is kept. Absent: the data is gone with the process. */
  readonly directory?: string;
  /** When changes are forced to the disk. Default `everysec`. */
  readonly appendfsync?: "always" | "everysec" | "no";
  /** Default 10,000. */
  readonly maxClients?: number;
  /** Size of one argument, in bytes. Default 64 MiB. */
  readonly bulkBytesMax?: number;
  readonly logger: Logger;
}

export interface EmbeddedServer {
  readonly port: number;
  /** Rejects when the server ends by itself: on SHUTDOWN, or when it cannot keep data any more. */
  readonly failed: Promise<never>;
  /** Ends connections, writes what is left. May be called more than once. */
  close(): Promise<void>;
}

/** How often keys are looked at that expire though nobody asks for them. */
const expiryIntervalMs = 100;
const expiryBudgetMs = 10;
const syncIntervalMs = 1_000;
/** How long a client that was turned away may take to hang up. */
const turnAwayMs = 1_000;
/** Arguments of one request. */
const argumentsMax = 1024 * 1024;

/**
 * Starts a server that speaks Redis's protocol, for development. Resolves when it listens; throws
 * KVDB_PORT_IN_USE, KVDB_LISTEN_FAILED or KVDB_DATA_*.
 */
export async function openEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const server = new RespServer(options);
  await server.listen();
  return server;
}

class RespServer implements EmbeddedServer, ConnectionHost {
  readonly engine: Engine;
  readonly limits: ConnectionHost["limits"];
  readonly failed: Promise<never>;
  readonly #options: EmbeddedServerOptions;
  readonly #failure = Promise.withResolvers<never>();
  readonly #connections = new Set<Connection>();
  readonly #turnedAway = new Set<Socket>();
  readonly #unflushed = new Set<Connection>();
  readonly #listener: Server;
  #timers: ReturnType<typeof setInterval>[] = [];
  #file: AppendOnlyFile | undefined;
  #unlock: (() => void) | undefined;
  #flushScheduled = false;
  #closed: Promise<void> | undefined;

  constructor(options: EmbeddedServerOptions) {
    const { password, appendfsync = "everysec", maxClients = 10_000, bulkBytesMax } = options;
    this.#options = options;
    const settings = new EngineSettings({
      appendonly: options.directory === undefined ? "no" : "yes",
      appendfsync,
      maxclients: String(maxClients),
      ...(bulkBytesMax === undefined ? {} : { "proto-max-bulk-len": String(bulkBytesMax) }),
    });
    this.engine = new Engine({
      settings,
      password: password === undefined ? undefined : toByteText(password),
      logger: options.logger,
      onShutdown: () => this.#fail("SHUTDOWN was requested by a client"),
    });
    const bulkBytes = settings.getNumber("proto-max-bulk-len");
    this.limits = { bulkBytes, arguments: argumentsMax };
    this.#listener = createServer((socket) => this.#accept(socket));
    this.failed = this.#failure.promise;
    // Whoever does not look at it must not be ended by it.
    this.failed.catch(() => {});
  }

  get port(): number {
    // A TCP listener that listens has such an address.
    return (this.#listener.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    try {
      this.#openFile();
      await this.#bind();
    } catch (failure) {
      this.#closeFile();
      throw failure;
    }
    this.#timers = [
      setInterval(() => this.#dropExpired(), expiryIntervalMs),
      setInterval(() => this.#file?.tick(), syncIntervalMs),
    ];
  }

  flushSoon(connection: Connection): void {
    this.#unflushed.add(connection);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => this.flushNow());
  }

  flushNow(): void {
    this.#flushScheduled = false;
    this.#flushFile();
    for (const connection of this.#unflushed) connection.flush();
    this.#unflushed.clear();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    this.flushNow();
    for (const one of [...this.#connections, ...this.#turnedAway]) one.destroy();
    await closed;
    this.#closeFile();
  }

  #openFile(): void {
    const { directory, logger } = this.#options;
    if (directory === undefined) return;
    const path = join(directory, "appendonly.aof");
    this.#unlock = lockDataFile(path);
    this.#file = AppendOnlyFile.open({ path, engine: this.engine, logger });
    this.engine.journal = this.#file;
  }

  #closeFile(): void {
    try {
      this.#file?.close();
    } catch (failure) {
      this.#options.logger.error("The KVDB data file could not be closed", { error: failure });
    }
    this.#file = undefined;
    this.#unlock?.();
    this.#unlock = undefined;
  }

  #bind(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#listener.once("error", (failure: Error & { readonly code?: string }) => {
        const code = failure.code === "EADDRINUSE" ? "KVDB_PORT_IN_USE" : "KVDB_LISTEN_FAILED";
        const params = { host, port, reason: reasonOf(failure) };
        reject(new PlatformError(code, params, { cause: failure }));
      });
      this.#listener.listen({ host, port }, resolve);
    });
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.engine.settings.getNumber("maxclients")) {
      this.#turnAway(socket);
      return;
    }
    const connection = new Connection(socket, this);
    this.#connections.add(connection);
    socket.once("close", () => this.#connections.delete(connection));
  }

  #turnAway(socket: Socket): void {
    this.engine.counters.refused++;
    this.#turnedAway.add(socket);
    socket.once("close", () => this.#turnedAway.delete(socket));
    socket.on("error", () => {}); // it is to go in any case
    // What it sends is read, since unread bytes would make the system drop our last words.
    socket.resume();
    socket.setTimeout(turnAwayMs, () => socket.destroy());
    socket.end(error("ERR max number of clients reached"));
  }

  #dropExpired(): void {
    this.engine.dropExpired(expiryBudgetMs);
    this.#flushFile();
  }

  #flushFile(): void {
    try {
      this.#file?.flush();
    } catch (failure) {
      this.#fail(reasonOf(failure));
    }
  }

  #fail(reason: string): void {
    this.#failure.reject(new PlatformError("KVDB_DIED", { reason }));
    // The replies to what could not be kept must not leave.
    this.#unflushed.clear();
    void this.close();
  }
}
