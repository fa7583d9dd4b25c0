import { isDeepStrictEqual } from "node:util";
import { stringify } from "yaml";
import type { LoadBalancerConfig } from "../../../config/schemas.ts";
import { PlatformError } from "../../../errors/platform-error.ts";
import type { BalancerStatistics } from "../../api.ts";
import type { BackendServer, EngineStatus } from "../../engine.ts";

/** What this engine changes while it runs; everything else is read once. */
const changeable = new Set(["algorithm", "accessLog", "peers", "lines"]);

/** Throws BALANCER_ENGINE_CANNOT for what only HAProxy can do, or only a new start. */
export function checkSetup(before: LoadBalancerConfig, after: LoadBalancerConfig): void {
  if (Object.values(after.lines).some((lines) => lines.length > 0)) {
    throw new PlatformError("BALANCER_ENGINE_CANNOT", { what: "take lines of HAProxy's language" });
  }
  if (after.tls?.http2 === true) {
    throw new PlatformError("BALANCER_ENGINE_CANNOT", { what: "speak HTTP/2 with clients" });
  }
  const values = new Map(Object.entries(before));
  const fields = Object.entries(after)
    .filter(([field, value]) =>
      !changeable.has(field) && !isDeepStrictEqual(value, values.get(field))
    )
    .map(([field]) => field);
  if (fields.length === 0) return;
  const what = `change ${fields.join(", ")} while it runs`;
  throw new PlatformError("BALANCER_ENGINE_CANNOT", { what });
}

/** The configuration in this engine's own language, which is config.yaml's. */
export function renderSetup(
  config: LoadBalancerConfig,
  servers?: readonly BackendServer[],
): string {
  return stringify(servers === undefined ? config : { ...config, servers });
}

/** Its figures by the names that HAProxy gives them. */
export function describeStatistics(status: EngineStatus): BalancerStatistics {
  return {
    engine: "embedded",
    info: { CurrConns: String(status.sessionsCurrent), CumReq: String(status.requestsTotal) },
    rows: [
      {
        pxname: "clients",
        svname: "FRONTEND",
        status: "OPEN",
        scur: String(status.sessionsCurrent),
        req_tot: String(status.requestsTotal),
      },
      ...status.servers.map((server) => ({
        pxname: "servers",
        svname: server.name,
        status: server.state.toUpperCase(),
        weight: String(server.weight),
        scur: String(server.sessionsCurrent),
        smax: String(server.sessionsMax),
        stot: String(server.requestsTotal),
        rate: String(server.requestRate),
        eresp: String(server.errorsTotal),
        check_desc: server.reason,
      })),
    ],
  };
}
