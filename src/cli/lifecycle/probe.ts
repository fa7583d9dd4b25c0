import { createConnection } from "node:net";
import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { loadSecret } from "../../config/component.ts";
import { loadConfig } from "../../config/component.ts";
import { loadBalancerConfigSchema } from "../../config/schemas.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import type { Component, Endpoint, RunnableKind } from "./component.ts";

const timeoutMs = 3_000;

/** Why a component does not answer as it should; undefined when it does. */
export async function probeComponent(component: Component): Promise<string | undefined> {
  try {
    await probes[component.kind](component);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

const probes: Readonly<Record<RunnableKind, (component: Component) => Promise<void>>> = {
  async kvdb(component) {
    const { openKvdb } = await import("../../kvdb/client.ts");
    const { host, port } = endpointOf(component, "kvdb");
    const password = await loadSecret(component.directory, "kvdb-password");
    const url = `redis://${urlHost(host)}:${port}/0`;
    const kvdb = openKvdb({ url, password, cluster: "probe", logger: silentLogger });
    try {
      await kvdb.ping();
    } finally {
      await kvdb.close();
    }
  },
  async "load-balancer"(component) {
    await connect(endpointOf(component, "http"));
    await askAgent(component);
  },
  server: (component) => expectOk(endpointOf(component, "http"), "/dragoman/readyz"),
  "web-admin": (component) => expectOk(endpointOf(component, "http"), "/healthz"),
};

/** `0.0.0.0` and `::` are where a component listens, not where it can be reached. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

/** A host as URLs write it: IPv6 addresses in brackets. */
export function urlHost(host: string): string {
  const reachable = reachableHost(host);
  return reachable.includes(":") ? `[${reachable}]` : reachable;
}

function endpointOf(component: Component, use: string): Endpoint {
  const endpoint = component.endpoints.find((candidate) => candidate.use === use);
  if (endpoint === undefined) throw new PlatformError("INTERNAL");
  return endpoint;
}

async function expectOk({ host, port }: Endpoint, path: string): Promise<void> {
  const url = `http://${urlHost(host)}:${port}${path}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  const body = await response.text();
  if (response.status !== 200) {
    throw new Error(`${path} answers ${response.status} ${body.slice(0, 200)}`.trim());
  }
}

function connect({ host, port }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: reachableHost(host), port, timeout: timeoutMs });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("timeout", () => socket.destroy(new Error(`Port ${port} does not answer`)));
    socket.once("error", reject);
  });
}

async function askAgent(component: Component): Promise<void> {
  const { createAgentClient } = await import("../../load-balancer/client.ts");
  const { loadTls } = await import("../../mtls/tls-material.ts");
  const { cluster } = await loadConfig(component.directory, loadBalancerConfigSchema);
  const { host, port } = endpointOf(component, "agent");
  const url = `https://${urlHost(host)}:${port}`;
  const client = createAgentClient({ url, tls: await loadTls(component.directory), cluster });
  try {
    await client.health();
  } catch (error) {
    // The balancer's own certificate may not ask its agent everything; being refused by it over
    // mutual TLS is an answer all the same.
    if (!isPlatformError(error) || error.status !== 403) throw error;
  } finally {
    client.close();
  }
}
