import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { componentPaths } from "../../config/component.ts";
import type { ServerConfig } from "../../config/schemas.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { createAgentClient } from "../../load-balancer/client.ts";
import { renderHostIdentity, type TlsMaterial } from "../../mtls/identity.ts";
import { Balancers } from "./balancers.ts";
import type { ServerAddresses } from "./supervisor.ts";
import type { WorkerPool } from "./worker-pool.ts";
import type { Logger } from "../../telemetry/logger.ts";

export interface ServerBalancersParts {
  readonly directory: string;
  readonly config: ServerConfig;
  readonly tls: TlsMaterial;
  /** Where balancers reach the HTTP port. */
  readonly address: ServerAddresses["http"];
  readonly pool: WorkerPool;
  readonly logger: Logger;
  readonly cleanUp: AsyncDisposableStack;
}

/**
 * Prepares a server's ties to its balancers: each has an agent of its own, and the server registers
 * with all of them. Undefined where there is none. Throws SERVER_WEIGHT_PORT.
 */
export async function prepareBalancers(
  { directory, config, tls, address, pool, logger, cleanUp }: ServerBalancersParts,
): Promise<Balancers | undefined> {
  const { name: server, cluster, http, loadBalancer } = config;
  if (loadBalancer === undefined) return undefined;
  const agents = [loadBalancer.agentUrl].flat()
    .map((url) => createAgentClient({ url, tls, cluster }));
  cleanUp.defer(() => agents.forEach((agent) => agent.close()));
  const balancers = new Balancers({
    agents,
    server,
    address: { host: address.host, port: address.port, ...(http.tls ? { tls: true } : {}) },
    check: { host: http.host, port: loadBalancer.weightPort },
    keyFile: join(componentPaths(directory).secrets, "hop-keys.json"),
    vitals: () => pool.vitals(),
    onKeys: (keys) => pool.useHopKeys(keys),
    logger,
  });
  cleanUp.defer(() => balancers.close());
  pool.handOverDuring((work) => balancers.aside(work));
  await balancers.prepare();
  return balancers;
}

/** Throws SERVER_CERTIFICATE_NAME when balancers would not take this server for itself. */
export function checkHopCertificate(
  directory: string,
  { cluster, name, http }: ServerConfig,
  { cert }: TlsMaterial,
): void {
  if (!http.tls) return;
  const host = renderHostIdentity({ cluster, role: "server", name });
  if (new X509Certificate(cert).checkHost(host) !== undefined) return;
  const folder = componentPaths(directory).tls;
  throw new PlatformError("SERVER_CERTIFICATE_NAME", { folder, host });
}
