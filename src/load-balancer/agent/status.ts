import { renderAddress } from "../address.ts";
import type { BalancedServer, BalancerStatus, EngineServer } from "../api.ts";
import { defaultWeight, type EngineStatus } from "../engine.ts";
import type { Arrangement } from "./arrangement.ts";

/** What the engine says, beside what was asked of it. */
export function describeBalancer(
  arrangement: Arrangement,
  status: EngineStatus,
): Pick<
  BalancerStatus,
  | "url"
  | "revision"
  | "algorithm"
  | "requestsTotal"
  | "sessionsCurrent"
  | "finishing"
  | "servers"
> {
  const { config } = arrangement.setup();
  return {
    url: `http://${renderAddress(config.http.host, config.http.port)}`,
    revision: arrangement.revision,
    algorithm: config.algorithm,
    requestsTotal: status.requestsTotal,
    sessionsCurrent: status.sessionsCurrent,
    finishing: status.finishing,
    servers: status.servers.map((server) => describeServer(arrangement, server)),
  };
}

function describeServer(arrangement: Arrangement, server: EngineServer): BalancedServer {
  const wanted = arrangement.setup().servers.find(({ name }) => name === server.name);
  return {
    ...server,
    wanted: wanted?.maintenance ? "maintenance" : wanted?.draining ? "drain" : "ready",
    weightWanted: wanted?.weight ?? defaultWeight,
    registered: arrangement.isRegistered(server.name),
  };
}
