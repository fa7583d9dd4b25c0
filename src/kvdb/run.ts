import { join } from "node:path";
import { type ComponentPaths, componentPaths } from "../config/component.ts";
import { loadConfig, loadMarker, loadSecret } from "../config/component.ts";
import type { RunComponent, RunningComponent } from "../config/running-component.ts";
import { type KvdbConfig, kvdbConfigSchema } from "../config/schemas.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import { isPortFree } from "../lib/ports.ts";
import { type Logger, silentLogger } from "../telemetry/logger.ts";
import { openKvdb } from "./client.ts";
import { openEmbeddedServer } from "./embedded/server.ts";
import { renderRedisConfig } from "./redis-config.ts";
import { RedisProcess } from "./redis-process.ts";
import { requireKvdbProgram } from "./redis-program.ts";
import { endStrayProcess, forgetProcess, rememberProcess } from "./stray-process.ts";

interface Plan {
  readonly paths: ComponentPaths;
  readonly config: KvdbConfig;
  readonly password: string | undefined;
  readonly logger: Logger;
}

/**
 * Runs the KVDB of a component directory: the embedded server in this process, or redis-server or
 * valkey-server as a child of it. Throws KVDB_PORT_IN_USE, KVDB_UNPROTECTED, KVDB_START_FAILED,
 * KVDB_DATA_* or CONFIG_*, and then leaves nothing running.
 */
export const runKvdb: RunComponent = async (directory, { logger }) => {
  await loadMarker(directory, "kvdb");
  const paths = componentPaths(directory);
  const config = await loadConfig(directory, kvdbConfigSchema);
  const password = await loadSecret(directory, "kvdb-password");
  const { host } = config.listen;
  if (password === undefined && !isLoopback(host)) {
    throw new PlatformError("KVDB_UNPROTECTED", { host });
  }
  const plan = { paths, config, password, logger };
  return await (config.engine === "embedded" ? runEmbedded(plan) : runRedis(plan));
};

async function runEmbedded({ paths, config, password, logger }: Plan): Promise<RunningComponent> {
  const { host, port } = config.listen;
  const server = await openEmbeddedServer({
    host,
    port,
    password,
    directory: paths.state,
    logger,
  });
  logger.info("KVDB is ready", { engine: "embedded", host, port: server.port });
  return {
    ports: { kvdb: server.port },
    failed: server.failed,
    stop: () => server.close(),
  };
}

/** Where a KVDB remembers the redis-server it runs, for whoever comes after a kill. */
export function redisPidFile({ run }: ComponentPaths): string {
  return join(run, "kvdb-server.pid");
}

async function runRedis(plan: Plan): Promise<RunningComponent> {
  const { paths, config, password, logger } = plan;
  const { host, port } = config.listen;
  const program = requireKvdbProgram(config.serverPath);
  const pidFile = redisPidFile(paths);
  const stray = await endStrayProcess(pidFile);
  if (stray !== undefined) logger.warn("Ended a KVDB server that was left behind", { pid: stray });
  if (!await isPortFree(port, host)) throw new PlatformError("KVDB_PORT_IN_USE", { host, port });

  const configFile = join(paths.run, "kvdb-server.conf");
  const text = renderRedisConfig({ host, port, password, directory: paths.state });
  await writeFileAtomic(configFile, text);
  const server = await startAnswering(plan, { program, configFile });
  await rememberProcess(pidFile, server.pid!);
  logger.info("KVDB is ready", { engine: "redis", program, host, port, pid: server.pid });
  return {
    ports: { kvdb: port },
    failed: server.failed,
    stop: async () => {
      await server.stop();
      await forgetProcess(pidFile);
    },
  };
}

/** Starts the server and waits until it answers to the password. */
async function startAnswering(
  { config, password, logger }: Plan,
  { program, configFile }: { readonly program: string; readonly configFile: string },
): Promise<RedisProcess> {
  const { host, port } = config.listen;
  const address = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const probe = openKvdb({
    url: `redis://${address.includes(":") ? `[${address}]` : address}:${port}`,
    password,
    cluster: "probe",
    logger: silentLogger,
  });
  try {
    const isUp = () => probe.ping().then(() => true, () => false);
    return await RedisProcess.start({ program, configFile, isUp, logger });
  } finally {
    await probe.close();
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host);
}
