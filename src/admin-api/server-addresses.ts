import type { ServerConfig } from "../config/schemas.ts";
import { isWildcard, localAddressTowards } from "../lib/local-address.ts";
import type { ServerAddresses } from "../server/supervisor/supervisor.ts";

/** Where others reach this server: what is configured, or, for a wildcard, what really is there. */
export async function findServerAddresses(
  { http, admin, loadBalancer }: ServerConfig,
): Promise<ServerAddresses> {
  if (!isWildcard(http.host) && !isWildcard(admin.host)) {
    return { http: loadBalancer?.advertise ?? http, admin };
  }
  const [agentUrl] = [loadBalancer?.agentUrl ?? []].flat();
  const agent = agentUrl === undefined ? undefined : new URL(agentUrl);
  const host = await localAddressTowards(
    agent && { host: agent.hostname, port: Number(agent.port || 443) },
  );
  const real = (listen: typeof admin) => isWildcard(listen.host) ? { ...listen, host } : listen;
  return { http: loadBalancer?.advertise ?? real(http), admin: real(admin) };
}
