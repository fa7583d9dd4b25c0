import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { type ComponentPaths, componentPaths } from "../../../src/config/component.ts";
import { type LoadBalancerConfig, loadBalancerConfigSchema } from "../../../src/config/schemas.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { EngineServer } from "../../../src/load-balancer/api.ts";
import type { BackendServer } from "../../../src/load-balancer/engine.ts";
import { sendCommand } from "../../../src/load-balancer/haproxy/control-socket.ts";
import {
  createHaproxyEngine,
  type HaproxyEngine,
} from "../../../src/load-balancer/haproxy/engine.ts";
import { createLogger, type Logger } from "../../../src/telemetry/logger.ts";
import { type HttpBackend, startHttpBackend } from "../../peers/http-backend.ts";

/** What the balancer shows to servers. */
export const testHopKey: string = "h".repeat(43);

/** A directory with a HAProxy engine and backends, all gone after `close`. */
export class HaproxySetup implements AsyncDisposable {
  readonly directory: string;
  readonly config: LoadBalancerConfig;
  /** Every line that was logged. */
  readonly logLines: string[] = [];
  readonly #engines: HaproxyEngine[] = [];
  readonly #backends: HttpBackend[] = [];

  private constructor(directory: string, config: LoadBalancerConfig) {
    this.directory = directory;
    this.config = config;
  }

  static async open(
    changes: Partial<z.input<typeof loadBalancerConfigSchema>> = {},
  ): Promise<HaproxySetup> {
    const directory = await mkdtemp(join(tmpdir(), "dragoman-haproxy-"));
    await mkdir(join(directory, "run"));
    await mkdir(join(directory, "state"));
    const config = loadBalancerConfigSchema.parse({
      name: "balancer",
      cluster: "test",
      engine: "haproxy",
      http: { host: "127.0.0.1", port: await findFreePort() },
      agent: { host: "127.0.0.1", port: 1 },
      healthCheck: { intervalMs: 200 },
      // Tests count on whose turn it is.
      algorithm: "roundrobin",
      ...changes,
    });
    return new HaproxySetup(directory, config);
  }

  get port(): number {
    return this.config.http.port;
  }

  get paths(): ComponentPaths {
    return componentPaths(this.directory);
  }

  get ledger(): string {
    return join(this.directory, "ledger");
  }

  get logger(): Logger {
    return createLogger({ level: "debug", write: (line) => void this.logLines.push(line) });
  }

  async backend(name: string, port?: number): Promise<HttpBackend> {
    const more = port === undefined ? {} : { port };
    const backend = await startHttpBackend({ name, ledger: this.ledger, ...more });
    this.#backends.push(backend);
    return backend;
  }

  backends(...names: readonly string[]): Promise<HttpBackend[]> {
    return Promise.all(names.map((name) => this.backend(name)));
  }

  async createEngine(config = this.config): Promise<HaproxyEngine> {
    const engine = await createHaproxyEngine(config, {
      paths: this.paths,
      hopKey: testHopKey,
      logger: this.logger,
    });
    this.#engines.push(engine);
    return engine;
  }

  /** Starts an engine and waits until it has heard from all servers. */
  async start(servers: readonly BackendServer[]): Promise<HaproxyEngine> {
    const engine = await this.createEngine();
    await engine.start(servers);
    for (const server of servers) {
      await untilServer(engine, server.name, ({ state }) => state === "up");
    }
    return engine;
  }

  /** The process that serves now, as its control socket tells it. */
  async haproxyPid(): Promise<number> {
    const info = await sendCommand(join(this.paths.run, "haproxy.sock"), "show info");
    return Number(/^Pid: (\d+)$/m.exec(info)?.[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.stop({ drainMs: 0 })));
    await Promise.all(this.#backends.map((backend) => backend.kill()));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Waits until the engine shows a server as `isWanted` wants it, for at most 10 s. */
export async function untilServer(
  engine: HaproxyEngine,
  name: string,
  isWanted: (server: EngineServer) => boolean,
): Promise<EngineServer> {
  let last: EngineServer | undefined;
  const found = await poll(async () => {
    last = (await engine.status()).servers.find((server) => server.name === name);
    return last !== undefined && isWanted(last) ? last : undefined;
  }, { timeoutMs: 10_000, intervalMs: 20 });
  if (found !== undefined) return found;
  throw new Error(`server ${name} stays ${JSON.stringify(last)}`);
}
