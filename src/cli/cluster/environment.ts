import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { ServerStatus } from "../../admin-api/api.ts";
import { loadConfig, loadMarker } from "../../config/component.ts";
import { environmentConfigSchema, serverConfigSchema } from "../../config/schemas.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { AgentClient } from "../../load-balancer/client.ts";
import type { JsonClient } from "../../mtls/client.ts";
import type { CommandIo } from "../io.ts";
import { urlHost } from "../lifecycle/probe.ts";

/** How a command reaches a cluster: from an environment, or from one server's directory. */
export interface Environment {
  readonly directory: string;
  readonly cluster: string;
  readonly adminUrls: readonly string[];
  /** The first of `agentUrls`. */
  readonly agentUrl: string | undefined;
  /** Agents of the balancers in front of the cluster; they keep one another in step. */
  readonly agentUrls: readonly string[];
  readonly balancerUrl: string | undefined;
  readonly webAdminUrl: string | undefined;
}

/** How long a server may take to say that it is there, when one is chosen. */
const probeTimeoutMs = 3_000;
/** Long enough for a deployment that every server must load. */
const requestTimeoutMs = 120_000;

/**
 * Finds and reads the environment: `--env`, else `DRAGOMAN_ENV`, else the working directory or the
 * nearest one above it that is an environment. Throws CLI_NO_ENVIRONMENT, CONFIG_*.
 */
export async function loadEnvironment(
  { env: option }: { readonly env: string | undefined },
  io: CommandIo,
): Promise<Environment> {
  const named = option ?? (io.env["DRAGOMAN_ENV"] || undefined);
  return await loadEnvironmentAt(
    named === undefined ? await findNearest(io.cwd) : resolve(io.cwd, named),
  );
}

/** Reads the environment, or the server, in a directory. Throws CLI_NOT_AN_ENVIRONMENT, CONFIG_*. */
export async function loadEnvironmentAt(directory: string): Promise<Environment> {
  const { component } = await loadMarker(directory);
  if (component === "server") return await fromServer(directory);
  if (component === "environment") return await fromEnvironment(directory);
  throw new PlatformError("CLI_NOT_AN_ENVIRONMENT", { directory, found: component });
}

/**
 * Lends `use` a client of the first server that answers over mutual TLS, and closes it.
 * Throws CLI_NO_SERVER with every server's reason.
 */
export async function withAdmin<T>(
  environment: Environment,
  use: (client: JsonClient) => Promise<T>,
): Promise<T> {
  const { createJsonClient } = await import("../../mtls/client.ts");
  const { loadTls } = await import("../../mtls/tls-material.ts");
  const tls = await loadTls(environment.directory);
  const open = (baseUrl: string, timeoutMs: number) =>
    createJsonClient({ baseUrl, tls, timeoutMs, expect: expectServer(environment) });
  const reasons: string[] = [];
  for (const url of environment.adminUrls) {
    const probe = open(url, probeTimeoutMs);
    try {
      await probe.get("/v1/health");
    } catch (error) {
      reasons.push(`${url}: ${reasonOf(error)}`);
      continue;
    } finally {
      probe.close();
    }
    const client = open(url, requestTimeoutMs);
    try {
      return await use(client);
    } finally {
      client.close();
    }
  }
  throw noServer(environment, reasons);
}

/** Asks every server of the environment for its own status; a string says why one does not answer. */
export async function askServers(
  environment: Environment,
): Promise<readonly { readonly url: string; readonly status: ServerStatus | string }[]> {
  const { createJsonClient } = await import("../../mtls/client.ts");
  const { loadTls } = await import("../../mtls/tls-material.ts");
  const tls = await loadTls(environment.directory);
  return await Promise.all(environment.adminUrls.map(async (url) => {
    const client = createJsonClient({
      baseUrl: url,
      tls,
      timeoutMs: probeTimeoutMs,
      expect: expectServer(environment),
    });
    try {
      return { url, status: await client.get<ServerStatus>("/v1/status") };
    } catch (error) {
      return { url, status: reasonOf(error) };
    } finally {
      client.close();
    }
  }));
}

/**
 * Lends `use` a client of the balancer's agent, and closes it: of the first that answers where
 * there are several. Throws CLI_NO_BALANCER, MTLS_*.
 */
export async function withAgent<T>(
  environment: Environment,
  use: (client: AgentClient) => Promise<T>,
): Promise<T> {
  const { directory, cluster, agentUrls } = environment;
  const { createAgentClient } = await import("../../load-balancer/client.ts");
  const { loadTls } = await import("../../mtls/tls-material.ts");
  for (const [index, url] of agentUrls.entries()) {
    const client = createAgentClient({ url, tls: await loadTls(directory), cluster });
    try {
      const isLast = index === agentUrls.length - 1;
      // The last one's own error says why there is no agent.
      if (isLast || await client.health().then(() => true, () => false)) return await use(client);
    } finally {
      client.close();
    }
  }
  throw new PlatformError("CLI_NO_BALANCER", { directory });
}

function expectServer({ cluster }: Environment) {
  return { cluster, role: "server" } as const;
}

function noServer(environment: Environment, reasons: readonly string[]): PlatformError {
  const { cluster, directory } = environment;
  const reason = reasons.length === 1 ? reasons[0]! : `${reasons.length} were asked`;
  return new PlatformError("CLI_NO_SERVER", { cluster, directory, reason }, { details: reasons });
}

async function fromEnvironment(directory: string): Promise<Environment> {
  const config = await loadConfig(directory, environmentConfigSchema, {});
  return {
    directory,
    cluster: config.cluster,
    adminUrls: config.adminUrls,
    ...agentsOf(config.agentUrl),
    balancerUrl: config.balancerUrl,
    webAdminUrl: config.webAdminUrl,
  };
}

async function fromServer(directory: string): Promise<Environment> {
  const { cluster, admin, loadBalancer } = await loadConfig(directory, serverConfigSchema);
  return {
    directory,
    cluster,
    adminUrls: [`https://${urlHost(admin.host)}:${admin.port}`],
    ...agentsOf(loadBalancer?.agentUrl),
    balancerUrl: undefined,
    webAdminUrl: undefined,
  };
}

function agentsOf(
  configured: string | readonly string[] | undefined,
): Pick<Environment, "agentUrl" | "agentUrls"> {
  const agentUrls = [configured ?? []].flat();
  return { agentUrl: agentUrls[0], agentUrls };
}

async function findNearest(from: string): Promise<string> {
  for (let directory = resolve(from);; directory = dirname(directory)) {
    const marker = join(directory, "component.json");
    if (await stat(marker).then(() => true, () => false)) {
      const { component } = await loadMarker(directory);
      if (component === "environment") return directory;
    }
    if (directory === dirname(directory)) {
      throw new PlatformError("CLI_NO_ENVIRONMENT", { directory: resolve(from) });
    }
  }
}
