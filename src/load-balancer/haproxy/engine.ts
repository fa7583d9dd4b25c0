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

/** A setup whose servers have addresses and whose certificates have been read. */
interface Resolved {
  readonly config: LoadBalancerConfig;
  readonly servers: readonly HaproxyServer[];
  /** Undefined before the start. */
  readonly tlsFiles: TlsFiles | undefined;
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
  /** What the file says; a HAProxy that starts has this. */
  #held: Resolved;
  /** What the next HAProxy is started with. */
  #hopKey: string;
  #lastStatus: Pick<EngineStatus, "servers"> | undefined;

  constructor(config: LoadBalancerConfig, parts: EngineParts) {
    const { binary, runtime, paths, logger } = parts;
    this.#held = { config, servers: [], tlsFiles: undefined };
    this.#parts = parts;
    this.#hopKey = parts.hopKey;
    this.engineVersion = binary.version;
    this.#file = new ConfigFile(paths.state, binary);
    this.#resolver = new ServerResolver({ logger });
    this.#live = new LiveServers({
      socket: runtime.socket,
      renderServer: (server) => renderServer(server, this.#model(this.#held)),
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
      onStarted: () => this.#live.reset(this.#held.servers),
      logger,
    });
  }

  get failed(): Promise<never> {
    return this.#keeper.failed;
  }

  readonly configuration = {
    text: () => this.#file.text,
    render: async ({ config, servers }: EngineSetup) =>
      this.#render({
        config,
        servers: servers === undefined
          ? this.#held.servers
          : await this.#resolver.addressesOf(servers),
        tlsFiles: await this.#readTlsFiles(config),
      }),
    check: (setup: EngineSetup) =>
      this.#serial(async () => this.#file.check(await this.configuration.render(setup))),
    apply: (setup: EngineSetup) =>
      this.#serial(async () => this.#apply(setup, await this.#readTlsFiles(setup.config))),
  };

  start(servers: readonly BackendServer[]): Promise<void> {
    return this.#serial(async () => {
      const { config } = this.#held;
      const resolved = await this.#resolver.resolve(servers, { strict: false });
      const tlsFiles = await this.#readTlsFiles(config);
      const next = { config, servers: resolved, tlsFiles };
      const text = this.#render(next);
      await this.#file.check(text);
      await this.#file.replace(text);
      this.#held = next;
      try {
        await this.#keeper.start();
      } catch (error) {
        await this.stop({ drainMs: 0 });
        throw error;
      }
    });
  }

  /** With the certificates as they were read last: those on disk may just be in the making. */
  setServers(servers: readonly BackendServer[]): Promise<void> {
    return this.#serial(() => {
      const { config, tlsFiles } = this.#held;
      return this.#apply({ config, servers }, tlsFiles);
    });
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
    const { servers } = this.#held;
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

  /** From now on servers are shown this key. */
  useHopKey(key: string): Promise<void> {
    return this.#serial(async () => {
      // One that is just being started still has the key before.
      await this.#keeper.betweenStarts(async () => void (this.#hopKey = key));
      const { environment } = this.#keeper;
      if (environment === undefined || environment[hopVariable] === key) return;
      await this.#keeper.replace({ keepState: true, output: this.#held.config.accessLog });
    });
  }

  /** Makes `setup` live, by a reload only when HAProxy cannot learn of it in another way. */
  async #apply(
    { config, servers }: EngineSetup,
    tlsFiles: TlsFiles | undefined,
  ): Promise<void> {
    const before = this.#held;
    const resolved = servers === undefined
      ? before.servers
      : await this.#resolver.resolve(servers, { strict: true });
    const next = { config, servers: resolved, tlsFiles };
    const text = this.#render(next);
    if (text === this.#file.text) return void (this.#held = next);
    await this.#file.check(text);
    const differsInServersOnly = text === this.#render({ ...before, servers: resolved });
    if (!differsInServersOnly) await refuseTakenPort(before.config, config);
    const isKnown = await this.#put(next, () => this.#file.replace(text));
    if (differsInServersOnly && isKnown) return;
    try {
      // A server that was only half changed may be in maintenance: that must not be handed on.
      await this.#keeper.replace({ keepState: isKnown, output: config.accessLog });
    } catch (error) {
      await this.#put(before, () => this.#file.restore());
      throw error;
    }
    await pruneTlsFiles(...[next, before].flatMap(({ tlsFiles }) => tlsFiles ?? []));
  }

  /**
   * Writes the file, which a HAProxy that starts later reads, and tells the one that runs of the
   * servers in it. Resolves to false when that one does not have them all.
   */
  #put(next: Resolved, writeFile: () => Promise<void>): Promise<boolean> {
    return this.#keeper.betweenStarts(async () => {
      await writeFile();
      this.#held = next;
      if (!this.#keeper.isRunning) return true;
      try {
        await this.#live.reconcile(next.servers);
        return true;
      } catch (error) {
        this.#parts.logger.warn("servers change by a reload", { reason: reasonOf(error) });
        return false;
      }
    });
  }

  #readTlsFiles(config: LoadBalancerConfig): Promise<TlsFiles> {
    return writeTlsFiles(config, this.#parts.paths);
  }

  #model({ config, servers, tlsFiles }: Resolved): HaproxyModel {
    const { runtime, user } = this.#parts;
    return createModel(config, { servers, runtime, user, tlsFiles });
  }

  #render(resolved: Resolved): string {
    return renderHaproxyConfig(this.#model(resolved));
  }
}

/** HAProxy would find out too, but only after pausing the one that serves. */
async function refuseTakenPort(
  { http: before }: LoadBalancerConfig,
  { http: { host, port } }: LoadBalancerConfig,
): Promise<void> {
  if (host === before.host && port === before.port) return;
  if (await isPortFree(port, host === "*" ? "0.0.0.0" : host)) return;
  throw new PlatformError("BALANCER_PORT_IN_USE", { host, port });
}

/** Root needs not stay root once HAProxy listens: Debian's package brings a user for it. */
async function unprivilegedUser(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const read = (file: string) => readFile(file, "utf8").catch(() => ""); // no such file: no such user
  const [users, groups] = await Promise.all([read("/etc/passwd"), read("/etc/group")]);
  return /^haproxy:/m.test(users) && /^haproxy:/m.test(groups) ? "haproxy" : undefined;
}
