import { PlatformError } from "../../errors/platform-error.ts";
import { type Role, roles } from "../../mtls/identity.ts";
import type { ApiRequest, Route } from "../../mtls/json-api.ts";
import type { BalancerStatus, ConfigText, HopKeysView } from "../api.ts";
import type { HopRotation } from "../hop-rotation.ts";
import { parseRegistration, parseServerName } from "./registration.ts";
import { createSerial } from "../serial.ts";
import type { Arrangement } from "./arrangement.ts";
import {
  authored,
  bodyOf,
  type ConfigurationParts,
  createConfigurationRoutes,
} from "./configuration-routes.ts";

/** What the agent's API is made of. */
export interface AgentParts extends ConfigurationParts {
  readonly servers: Pick<Arrangement, "register" | "leave" | "setDraining">;
  readonly hop: Pick<HopRotation, "accepted" | "rotate">;
  status(): Promise<BalancerStatus>;
  config(): ConfigText;
  /** Reads config.yaml anew; throws when it would not run. */
  check(): Promise<void>;
  /** Reads config.yaml and certificate anew and makes them live, without dropping a connection. */
  reload(): Promise<void>;
}

const readers: readonly Role[] = ["server", "web-admin", "operator"];
const owners: readonly Role[] = ["server", "operator"];
/** What a server may do for itself, and people for every server. */
const anybody: readonly Role[] = ["server", "web-admin", "operator"];
const administrators: readonly Role[] = ["web-admin", "operator"];

/** The operations of the agent, for `startJsonServer`. */
export function createAgentRoutes(agent: AgentParts): readonly Route[] {
  const { servers, operator } = agent;
  // Of two servers that step aside at once, the second has to find the first one gone.
  const serial = createSerial();
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
      roles: anybody,
      handle: (request) => {
        const name = ownName(request);
        if (request.peer.role === "server") return servers.leave(name);
        return operator.removeServer(name, authored(request));
      },
    },
    {
      method: "POST",
      path: "/v1/servers/:name/drain",
      roles: anybody,
      handle: (request) => {
        const name = ownName(request);
        if (request.peer.role !== "server") {
          return operator.setState(name, "drain", authored(request));
        }
        return serial(async () => {
          if (bodyOf(request).ifOthersServe === true) await requireOthers(agent, name);
          await servers.setDraining(name, true);
        });
      },
    },
    {
      method: "POST",
      path: "/v1/servers/:name/ready",
      roles: anybody,
      handle: (request) => {
        const name = ownName(request);
        if (request.peer.role === "server") return servers.setDraining(name, false);
        return operator.setState(name, "ready", authored(request));
      },
    },
    {
      method: "GET",
      path: "/v1/hop-keys",
      roles: ["server"],
      handle: (): HopKeysView => ({ keys: agent.hop.accepted }),
    },
    {
      method: "POST",
      path: "/v1/hop-keys/rotate",
      roles: ["operator"],
      handle: () => agent.hop.rotate(),
    },
    { method: "POST", path: "/v1/check", roles: administrators, handle: () => agent.check() },
    { method: "POST", path: "/v1/reload", roles: ["operator"], handle: () => agent.reload() },
    ...createConfigurationRoutes(agent),
  ];
}

/** Throws BALANCER_LAST_SERVER. */
async function requireOthers(agent: AgentParts, name: string): Promise<void> {
  const { servers } = await agent.status();
  const others = servers.filter((server) => server.name !== name);
  if (others.some((one) => one.state === "up" && one.wanted === "ready" && one.weight > 0)) return;
  throw new PlatformError("BALANCER_LAST_SERVER", { name });
}

/** The name in the path: a server may speak only for itself, an operator for every server. */
function ownName({ peer, params }: ApiRequest): string {
  const name = parseServerName(params["name"]);
  if (peer.role === "server" && peer.name !== name) {
    throw new PlatformError("BALANCER_NOT_YOUR_NAME", { peer: peer.name, name });
  }
  return name;
}
