import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { componentPaths } from "../../../src/config/component.ts";
import { type LoadBalancerConfig, loadBalancerConfigSchema } from "../../../src/config/schemas.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { EngineServer } from "../../../src/load-balancer/api.ts";
import { createEmbeddedEngine } from "../../../src/load-balancer/embedded/engine.ts";
import type { BackendServer, BalancerEngine } from "../../../src/load-balancer/engine.ts";
import { createHaproxyEngine } from "../../../src/load-balancer/haproxy/engine.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

/** Both engines, for tests of what they have in common. */
export const engines = ["haproxy", "embedded"] as const;

type Settings = Partial<z.input<typeof loadBalancerConfigSchema>>;

export interface AnyBalancerOptions {
  readonly engine: (typeof engines)[number];
  readonly settings?: Settings;
  readonly servers?: readonly BackendServer[];
  readonly hopKey?: string;
  /** Whom servers that speak TLS must come from, PEM. */
  readonly clusterCa?: string;
}

/** A balancer of either kind in a directory of its own, gone in the end. */
export class AnyBalancer implements AsyncDisposable {
  readonly engine: BalancerEngine;
  readonly config: LoadBalancerConfig;
  readonly directory: string;
  /** Everything that was logged. */
  readonly logLines: readonly string[];

  private constructor(
    engine: BalancerEngine,
    { config, directory, logLines }: {
      readonly config: LoadBalancerConfig;
      readonly directory: string;
      readonly logLines: readonly string[];
    },
  ) {
    this.engine = engine;
    this.config = config;
    this.directory = directory;
    this.logLines = logLines;
  }

  static async open(
    { engine: kind, settings, servers = [], hopKey = "h".repeat(43), clusterCa }:
      AnyBalancerOptions,
  ): Promise<AnyBalancer> {
    const directory = await mkdtemp(join(tmpdir(), "dragoman-balancer-"));
    const paths = componentPaths(directory);
    for (const folder of [paths.run, paths.state, paths.tls]) await mkdir(folder);
    if (clusterCa !== undefined) await writeFile(join(paths.tls, "ca.pem"), clusterCa);
    const config = loadBalancerConfigSchema.parse({
      name: "balancer",
      cluster: "test",
      engine: kind,
      http: { port: await findFreePort() },
      agent: { port: 1 },
      healthCheck: { intervalMs: 100 },
      // Tests count on whose turn it is.
      algorithm: "roundrobin",
      ...settings,
    });
    const logLines: string[] = [];
    const logger = createLogger({ level: "debug", write: (line) => void logLines.push(line) });
    const engine = kind === "haproxy"
      ? await createHaproxyEngine(config, { paths, hopKey, logger })
      : createEmbeddedEngine(config, {
        ...{ directory, hopKey, logger, accessLogFile: join(directory, "access.log") },
        ...(clusterCa === undefined ? {} : { clusterCa }),
      });
    const balancer = new AnyBalancer(engine, { config, directory, logLines });
    try {
      await engine.start(servers);
      for (const { name } of servers) await balancer.until(name, ({ state }) => state === "up");
      return balancer;
    } catch (error) {
      await balancer[Symbol.asyncDispose]();
      throw error;
    }
  }

  get port(): number {
    return this.config.http.port;
  }

  /** Waits until the balancer shows a server as `isWanted` wants it. */
  async until(name: string, isWanted: (server: EngineServer) => boolean): Promise<EngineServer> {
    let last: EngineServer | undefined;
    const found = await poll(async () => {
      last = (await this.engine.status()).servers.find((server) => server.name === name);
      return last !== undefined && isWanted(last) ? last : undefined;
    }, { timeoutMs: 20_000, intervalMs: 20 });
    if (found !== undefined) return found;
    throw new Error(`Server "${name}" stays ${JSON.stringify(last)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine.stop({ drainMs: 0 });
    await rm(this.directory, { recursive: true, force: true });
  }
}
