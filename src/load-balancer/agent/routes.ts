import { PlatformError } from "../../errors/platform-error.ts";
import { type Role, roles } from "../../mtls/identity.ts";
import type { ApiRequest, Route } from "../../mtls/json-api.ts";
import type { BalancerStatus, ConfigText } from "../api.ts";
import { parseRegistration, parseServerName } from "./registration.ts";
import type { ServerList } from "./server-list.ts";

/** What the agent's API is made of. */
export interface AgentParts {
  readonly servers: Pick<ServerList, "register" | "leave" | "setDraining">;
  status(): Promise<BalancerStatus>;
  config(): ConfigText;
  /** Reads config.yaml anew; throws when it would not run. */
  check(): Promise<void>;
  /** Reads config.yaml and certificate anew and makes them live, without dropping a connection. */
  reload(): Promise<void>;
}

const readers: readonly Role[] = ["server", "web-admin", "operator"];
const owners: readonly Role[] = ["server", "operator"];
const administrators: readonly Role[] = ["web-admin", "operator"];

/** The operations of the agent, for `startJsonServer`. */
export function createAgentRoutes(agent: AgentParts): readonly Route[] {
  const { servers } = agent;
  return [
    { method: "GET", path: "/v1/health", roles, handle: () => ({ status: "ok" }) },
    { method: "GET", path: "/v1/status", roles: readers, handle: () => agent.status() },
    { method: "GET", path: "/v1/config", roles: administrators, handle: () => agent.config() },
    {
      method: "PUT",
      path: "/v1/servers/:name",
      roles: owners,
      handle: (request) => servers.register(ownName(request), parseRegistration(request.body)),
    },
    {
      method: "DELETE",
      path: "/v1/servers/:name",
      roles: owners,
      handle: (request) => servers.leave(ownName(request)),
    },
    {
      method: "POST",
      path: "/v1/servers/:name/drain",
      roles: owners,
      handle: (request) => servers.setDraining(ownName(request), true),
    },
    {
      method: "POST",
      path: "/v1/servers/:name/ready",
      roles: owners,
      handle: (request) => servers.setDraining(ownName(request), false),
    },
    { method: "POST", path: "/v1/check", roles: administrators, handle: () => agent.check() },
    { method: "POST", path: "/v1/reload", roles: ["operator"], handle: () => agent.reload() },
  ];
}

/** The name in the path: a server may speak only for itself, an operator for every server. */
function ownName({ peer, params }: ApiRequest): string {
  const name = parseServerName(params["name"]);
  if (peer.role === "server" && peer.name !== name) {
    throw new PlatformError("BALANCER_NOT_YOUR_NAME", { peer: peer.name, name });
  }
  return name;
}
