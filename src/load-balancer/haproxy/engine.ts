import { readFile } from "node:fs/promises";
import type { LoadBalancerConfig } from "../../config/schemas.ts";
import type { ComponentPaths } from "../../config/component.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { isPortFree } from "../../lib/ports.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { BackendServer, BalancerEngine, EngineStatus } from "../engine.ts";
import { createSerial } from "../serial.ts";
import { findHaproxy, type HaproxyBinary } from "./binary.ts";
import { ConfigFile } from "./config-file.ts";
import { sendCommand } from "./control-socket.ts";
import { HaproxyKeeper } from "./keeper.ts";
import { LiveServers } from "./live-servers.ts";
import { createModel, type HaproxyModel, type HaproxyServer, type RuntimeFiles } from "./model.ts";
import { processRecordFile } from "./process-record.ts";
import { renderHaproxyConfig, renderServer } from "./render.ts";
import { ServerResolver } from "./resolver.ts";
import { closeRuntimeFiles, openRuntimeFiles } from "./runtime-directory.ts";
import { engineStatus, parseStat, unknownServer } from "./stats.ts";

export interface HaproxyEngineOptions {
  /** `run/` for sockets and pids, `state/` for the configuration file. */
  readonly paths: Pick<ComponentPaths, "run" | "state">;
  readonly logger: Logger;
}

/**
 * Prepares HAProxy as the balancer's engine; `start` runs it.
 * Throws BALANCER_HAPROXY_MISSING, BALANCER_HAPROXY_TOO_OLD, BALANCER_SOCKET_PATH.
 */
export async function createHaproxyEngine(
  config: LoadBalancerConfig,
  { paths, logger }: HaproxyEngineOptions,
): Promise<HaproxyEngine> {
  const binary = await findHaproxy(config.haproxyPath);
  const runtime = await openRuntimeFiles(paths.run, { logger });
  const user = await unprivilegedUser();
  return new HaproxyEngine(config, { paths, logger, binary, runtime, user });
}

interface EngineParts extends HaproxyEngineOptions {
  readonly binary: HaproxyBinary;
  readonly runtime: RuntimeFiles;
  readonly user: string | undefined;
}

/**
 * The balancer's engine in a HAProxy child process. Servers change through HAProxy's control
 * socket, and the file is kept in step, so that a HAProxy started later has the same ones. What
 * the socket cannot change, a hitless reload does.
 */
export class HaproxyEngine implements BalancerEngine {
  readonly engine = "haproxy";
  readonly engineVersion: string;
  readonly #parts: EngineParts;
  readonly #file: ConfigFile;
  readonly #keeper: HaproxyKeeper;
  readonly #live: LiveServers;
  readonly #resolver: ServerResolver;
  readonly #serial = createSerial();
  #config: LoadBalancerConfig;
  /** What the file says; a HAProxy that starts has these. */
  #servers: readonly HaproxyServer[] = [];
  #lastStatus: EngineStatus | undefined;

  constructor(config: LoadBalancerConfig, parts: EngineParts) {
    const { binary, runtime, paths, logger } = parts;
    this.#config = config;
    this.#parts = parts;
    this.engineVersion = binary.version;
    this.#file = new ConfigFile(paths.state, binary);
    this.#resolver = new ServerResolver({ logger });
    this.#live = new LiveServers({
      socket: runtime.socket,
      renderServer: (server) => renderServer(server, this.#model(this.#config, [])),
      logger,
    });
    this.#keeper = new HaproxyKeeper({
      binary,
      configFile: this.#file.path,
      runtime,
      recordFile: processRecordFile(paths.run),
      onStarted: () => this.#live.reset(this.#servers),
      logger,
    });
  }

  get failed(): Promise<never> {
    return this.#keeper.failed;
  }

  readonly configuration = {
    text: () => this.#file.text,
    check: (config: LoadBalancerConfig) =>
      this.#serial(() => this.#file.check(this.#render(config, this.#servers))),
    apply: (config: LoadBalancerConfig) => this.#serial(() => this.#reload(config)),
  };

  start(servers: readonly BackendServer[]): Promise<void> {
    return this.#serial(async () => {
      const resolved = await this.#resolver.resolve(servers, { strict: false });
      await this.#swap(this.#render(this.#config, resolved));
      this.#servers = resolved;
      try {
        await this.#keeper.start();
      } catch (error) {
        await this.stop({ drainMs: 0 });
        throw error;
      }
    });
  }

  setServers(servers: readonly BackendServer[]): Promise<void> {
    return this.#serial(async () => {
      const resolved = await this.#resolver.resolve(servers, { strict: true });
      const text = this.#render(this.#config, resolved);
      if (text === this.#file.text) return;
      await this.#swap(text);
      const before = this.#servers;
      this.#servers = resolved;
      try {
        await this.#reconcile(resolved);
      } catch (error) {
        this.#servers = before;
        await this.#file.restore();
        throw error;
      }
    });
  }

  async status(): Promise<EngineStatus> {
    const nowMs = Date.now();
    const known = await this.#askHaproxy(nowMs);
    this.#lastStatus = known;
    return { ...known, servers: [...known.servers, ...this.#resolver.unresolved] };
  }

  async stop(options: { readonly drainMs: number }): Promise<void> {
    await this.#keeper.stop(options);
    await closeRuntimeFiles(this.#parts.runtime, this.#parts.paths.run);
  }

  async #askHaproxy(nowMs: number): Promise<EngineStatus> {
    const servers = this.#servers;
    try {
      const rows = parseStat(await sendCommand(this.#parts.runtime.socket, "show stat"));
      return engineStatus(rows, { servers, nowMs, before: this.#lastStatus });
    } catch {
      // It died a moment ago and is being started again: that is an answer, not an error.
      const gone = { reason: "HAProxy does not answer", since: new Date(nowMs).toISOString() };
      return {
        requestsTotal: 0,
        sessionsCurrent: 0,
        servers: servers.map((server) => unknownServer({ ...server, host: server.ip }, gone)),
      };
    }
  }

  /** Through the control socket; by a reload when HAProxy cannot do it that way. */
  async #reconcile(servers: readonly HaproxyServer[]): Promise<void> {
    // The one that is about to start reads the file.
    if (!this.#keeper.isRunning) return;
    try {
      await this.#live.reconcile(servers);
    } catch (error) {
      this.#parts.logger.warn("servers change by a reload", { reason: reasonOf(error) });
      // A server that was only half changed may be in maintenance: that must not be handed on.
      await this.#keeper.replace({ keepState: false });
    }
  }

  async #reload(config: LoadBalancerConfig): Promise<void> {
    const text = this.#render(config, this.#servers);
    await this.#file.check(text);
    if (text === this.#file.text) return;
    const { host, port } = config.http;
    const moved = host !== this.#config.http.host || port !== this.#config.http.port;
    // HAProxy would find out too, but only after pausing the one that serves.
    if (moved && !(await isPortFree(port, host === "*" ? "0.0.0.0" : host))) {
      throw new PlatformError("BALANCER_PORT_IN_USE", { host, port });
    }
    await this.#file.replace(text);
    try {
      await this.#keeper.replace({ keepState: true });
    } catch (error) {
      await this.#file.restore();
      throw error;
    }
    this.#config = config;
  }

  async #swap(text: string): Promise<void> {
    await this.#file.check(text);
    await this.#file.replace(text);
  }

  #model(config: LoadBalancerConfig, servers: readonly HaproxyServer[]): HaproxyModel {
    const { runtime, user } = this.#parts;
    return createModel(config, { servers, runtime, user });
  }

  #render(config: LoadBalancerConfig, servers: readonly HaproxyServer[]): string {
    return renderHaproxyConfig(this.#model(config, servers));
  }
}

/** Root needs not stay root once HAProxy listens: Debian's package brings a user for it. */
async function unprivilegedUser(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const read = (file: string) => readFile(file, "utf8").catch(() => ""); // no such file: no such user
  const [users, groups] = await Promise.all([read("/etc/passwd"), read("/etc/group")]);
  return /^haproxy:/m.test(users) && /^haproxy:/m.test(groups) ? "haproxy" : undefined;
}
