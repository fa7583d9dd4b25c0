import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LoadBalancerConfig } from "../../config/schemas.ts";
import type { ComponentPaths } from "../../config/component.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { isPortFree } from "../../lib/ports.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { BalancerStatistics } from "../api.ts";
import type { BackendServer, BalancerEngine, EngineSetup, EngineStatus } from "../engine.ts";
import { createSerial } from "../serial.ts";
import { findHaproxy, type HaproxyBinary } from "./binary.ts";
import { ConfigFile } from "./config-file.ts";
import { checkCommand } from "./commands.ts";
import { sendCommand } from "./control-socket.ts";
import { HaproxyKeeper } from "./keeper.ts";
import { LiveServers } from "./live-servers.ts";
import {
  createModel,
  type HaproxyModel,
  type HaproxyServer,
  hopVariable,
  type RuntimeFiles,
} from "./model.ts";
import { processRecordFile } from "./process-record.ts";
import { renderHaproxyConfig, renderServer } from "./render.ts";
import { ServerResolver } from "./resolver.ts";
import { closeRuntimeFiles, openRuntimeFiles } from "./runtime-directory.ts";
import { engineStatus, parseInfo, parseStat, unknownServer } from "./stats.ts";
import { pruneTlsFiles, type TlsFiles, writeTlsFiles } from "./tls-files.ts";

export interface HaproxyEngineOptions {
  /**
   * `run/` for sockets and pids, `state/` for the configuration file, `log/` for requests, `tls/`
   * for whom servers' certificates must come from.
   */
  readonly paths: Pick<ComponentPaths, "root" | "run" | "state" | "log" | "tls">;
  /** Proves to servers that a request comes from here. */
  readonly hopKey: string;
  readonly logger: Logger;
}

/**
 * Prepares HAProxy as the balancer's engine; `start` runs it.
 * Throws BALANCER_HAPROXY_MISSING, BALANCER_HAPROXY_TOO_OLD, BALANCER_SOCKET_PATH.
 */
export async function createHaproxyEngine(
  config: LoadBalancerConfig,
  { paths, hopKey, logger }: HaproxyEngineOptions,
): Promise<HaproxyEngine> {
  const binary = await findHaproxy(config.haproxyPath);
  const runtime = await openRuntimeFiles(paths.run, { logger });
  const user = await unprivilegedUser();
  return new HaproxyEngine(config, { paths, hopKey, logger, binary, runtime, user });
}

/** A setup whose servers have addresses. */
interface Resolved {
  readonly config: LoadBalancerConfig;
  readonly servers: readonly HaproxyServer[];
  readonly tlsFiles: TlsFiles;
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
  #tlsFiles: TlsFiles | undefined;
  #hopKey: string;
  #lastStatus: Pick<EngineStatus, "servers"> | undefined;

  constructor(config: LoadBalancerConfig, parts: EngineParts) {
    const { binary, runtime, paths, logger } = parts;
    this.#config = config;
    this.#parts = parts;
    this.#hopKey = parts.hopKey;
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
      accessLogFile: join(paths.log, "access.log"),
      output: config.accessLog,
      environment: () => ({ [hopVariable]: this.#hopKey }),
      onStarted: () => this.#live.reset(this.#servers),
      logger,
    });
  }

  get failed(): Promise<never> {
    return this.#keeper.failed;
  }

  readonly configuration = {
    text: () => this.#file.text,
    render: async ({ config, servers }: EngineSetup) =>
      this.#render(
        config,
        servers === undefined ? this.#servers : await this.#resolver.addressesOf(servers),
        await writeTlsFiles(config, this.#parts.paths),
      ),
    check: (setup: EngineSetup) =>
      this.#serial(async () => this.#file.check(await this.configuration.render(setup))),
    apply: (setup: EngineSetup) => this.#serial(() => this.#apply(setup)),
  };

  start(servers: readonly BackendServer[]): Promise<void> {
    return this.#serial(async () => {
      const resolved = await this.#resolver.resolve(servers, { strict: false });
      this.#tlsFiles = await writeTlsFiles(this.#config, this.#parts.paths);
      const text = this.#render(this.#config, resolved);
      await this.#file.check(text);
      await this.#file.replace(text);
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
    return this.#serial(() => this.#apply({ config: this.#config, servers }));
  }

  async statistics(): Promise<BalancerStatistics> {
    const { socket } = this.#parts.runtime;
    const info = parseInfo(await sendCommand(socket, "show info"));
    return { engine: "haproxy", info, rows: parseStat(await sendCommand(socket, "show stat")) };
  }

  async command(text: string): Promise<string> {
    return await sendCommand(this.#parts.runtime.socket, checkCommand(text));
  }

  async status(): Promise<EngineStatus> {
    const nowMs = Date.now();
    const known = await this.#askHaproxy(nowMs);
    this.#lastStatus = known;
    const servers = [...known.servers, ...this.#resolver.unresolved];
    return { ...known, servers, finishing: this.#keeper.finishing };
  }

  async stop(options: { readonly drainMs: number }): Promise<void> {
    await this.#keeper.stop(options);
    await closeRuntimeFiles(this.#parts.runtime, this.#parts.paths.run);
  }

  async #askHaproxy(nowMs: number): Promise<Omit<EngineStatus, "finishing">> {
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
      await this.#keeper.replace({ keepState: false, output: this.#config.accessLog });
    }
  }

  /** Makes `setup` live, by a reload only when something else than servers changes. */
  async #apply({ config, servers }: EngineSetup): Promise<void> {
    const resolved = servers === undefined
      ? this.#servers
      : await this.#resolver.resolve(servers, { strict: true });
    const tlsFiles = await writeTlsFiles(config, this.#parts.paths);
    const text = this.#render(config, resolved, tlsFiles);
    if (text !== this.#file.text) {
      await this.#file.check(text);
      if (text === this.#render(this.#config, resolved)) await this.#changeServers(text, resolved);
      else await this.#reload(text, { config, servers: resolved, tlsFiles });
    }
    this.#config = config;
    this.#servers = resolved;
    this.#tlsFiles = tlsFiles;
  }

  /** From now on servers are shown this key. */
  useHopKey(key: string): Promise<void> {
    return this.#serial(async () => {
      if (key === this.#hopKey) return;
      this.#hopKey = key;
      if (!this.#keeper.isRunning) return;
      await this.#keeper.replace({ keepState: true, output: this.#config.accessLog });
    });
  }

  async #changeServers(text: string, servers: readonly HaproxyServer[]): Promise<void> {
    const before = this.#servers;
    await this.#file.replace(text);
    // Known at once: a HAProxy that dies now is started with this file.
    this.#servers = servers;
    try {
      await this.#reconcile(servers);
    } catch (error) {
      this.#servers = before;
      await this.#file.restore();
      throw error;
    }
  }

  async #reload(text: string, { config, servers, tlsFiles }: Resolved): Promise<void> {
    const { host, port } = config.http;
    const moved = host !== this.#config.http.host || port !== this.#config.http.port;
    // HAProxy would find out too, but only after pausing the one that serves.
    if (moved && !(await isPortFree(port, host === "*" ? "0.0.0.0" : host))) {
      throw new PlatformError("BALANCER_PORT_IN_USE", { host, port });
    }
    const before = { config: this.#config, servers: this.#servers, tlsFiles: this.#tlsFiles };
    await this.#file.replace(text);
    this.#config = config;
    this.#servers = servers;
    this.#tlsFiles = tlsFiles;
    try {
      // The one that serves hands on what it knows of its servers, so it learns the changes first.
      const keepState = await this.#prepareServers(servers);
      await this.#keeper.replace({ keepState, output: config.accessLog });
      await pruneTlsFiles(tlsFiles, before.tlsFiles ?? tlsFiles);
    } catch (error) {
      this.#config = before.config;
      this.#servers = before.servers;
      this.#tlsFiles = before.tlsFiles;
      await this.#file.restore();
      await this.#prepareServers(before.servers);
      throw error;
    }
  }

  /** Resolves to false when HAProxy does not have them all: then its state is of no use. */
  async #prepareServers(servers: readonly HaproxyServer[]): Promise<boolean> {
    try {
      if (this.#keeper.isRunning) await this.#live.reconcile(servers);
      return true;
    } catch (error) {
      this.#parts.logger.warn("servers change with the reload", { reason: reasonOf(error) });
      return false;
    }
  }

  #model(
    config: LoadBalancerConfig,
    servers: readonly HaproxyServer[],
    tlsFiles = this.#tlsFiles,
  ): HaproxyModel {
    const { runtime, user } = this.#parts;
    return createModel(config, { servers, runtime, user, tlsFiles });
  }

  #render(
    config: LoadBalancerConfig,
    servers: readonly HaproxyServer[],
    tlsFiles = this.#tlsFiles,
  ): string {
    return renderHaproxyConfig(this.#model(config, servers, tlsFiles));
  }
}

/** Root needs not stay root once HAProxy listens: Debian's package brings a user for it. */
async function unprivilegedUser(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const read = (file: string) => readFile(file, "utf8").catch(() => ""); // no such file: no such user
  const [users, groups] = await Promise.all([read("/etc/passwd"), read("/etc/group")]);
  return /^haproxy:/m.test(users) && /^haproxy:/m.test(groups) ? "haproxy" : undefined;
}
