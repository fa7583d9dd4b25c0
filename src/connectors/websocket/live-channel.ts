import type { RouteStats } from "../../http/route-stats.ts";
import type { ChannelInfo, RunnableService, ServiceRuntime } from "../../service/call.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { HttpChannelHost } from "../contract.ts";
import type { Admission } from "./credentials.ts";
import type { WebSocketChannelSpec } from "./index.ts";

/** A channel as one configuration has it: what its next message is answered with. */
export interface LiveChannel {
  readonly info: ChannelInfo;
  readonly spec: WebSocketChannelSpec;
  /** Undefined: `security: none`. */
  readonly admission: Admission | undefined;
  readonly runtime: ServiceRuntime;
  readonly stats: RouteStats;
  readonly logger: Logger;
  readonly requestMs: number;
  /** The service of every message; undefined where messages name theirs. */
  readonly service: RunnableService | undefined;
  /** By the names that clients use. */
  readonly services: ReadonlyMap<string, RunnableService>;
  readonly authorizeTopic: RunnableService | undefined;
  readonly onConnect: RunnableService | undefined;
  readonly onDisconnect: RunnableService | undefined;
}

/** Throws CHANNEL_UNUSABLE for what is not deployed, missing or failed. */
export function liveChannel(
  info: ChannelInfo,
  spec: WebSocketChannelSpec,
  host: HttpChannelHost,
): LiveChannel {
  const guard = host.guard(spec.security);
  const find = (name: string | undefined) => name === undefined ? undefined : host.service(name);
  return {
    info,
    spec,
    admission: guard && { guard, roles: spec.roles },
    runtime: host.runtime,
    stats: host.stats,
    logger: host.logger,
    requestMs: host.limits.requestMs,
    service: find(spec.service),
    services: new Map(
      namesOf(spec.services).map(([alias, name]) => [alias, host.service(name)]),
    ),
    authorizeTopic: find(spec.authorizeTopic),
    onConnect: find(spec.onConnect),
    onDisconnect: find(spec.onDisconnect),
  };
}

function namesOf(services: WebSocketChannelSpec["services"]): readonly [string, string][] {
  if (services === undefined) return [];
  return Array.isArray(services) ? services.map((name) => [name, name]) : Object.entries(services);
}

/** How long a call of a service may take. */
export function timeoutOf({ spec, requestMs }: LiveChannel, { service }: RunnableService): number {
  return spec.timeoutMs ?? service.timeoutMs ?? requestMs;
}
