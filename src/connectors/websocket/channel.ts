import type { StoredObject } from "../../catalog/kind.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { paramNames, parsePathTemplate } from "../../http/path-template.ts";
import type { Route, RouteEntry } from "../../http/route.ts";
import type {
  HttpChannelDriver,
  HttpChannelHost,
  PreparedHttpChannel,
  SocketChannels,
} from "../contract.ts";
import { closeCodes } from "./close-codes.ts";
import { SocketEndpoint } from "./endpoint.ts";
import { SocketHub } from "./hub.ts";
import { webSocketChannel } from "./index.ts";
import { type LiveChannel, liveChannel } from "./live-channel.ts";
import { compileOrigins } from "./origins.ts";

/** Brings WebSocketChannel objects to life. */
export const driver: HttpChannelDriver = {
  prepare(object: StoredObject): PreparedHttpChannel {
    const spec = webSocketChannel.schema.parse(object.spec);
    const template = parsePathTemplate(spec.path);
    if (typeof template === "string") {
      throw new PlatformError("CHANNEL_UNUSABLE", { reason: template });
    }
    const { kind, name } = object;
    const hub = new SocketHub();
    const endpoint = new SocketEndpoint(hub, compileOrigins(spec.origins));
    let sockets: SocketChannels | undefined;
    return {
      routes(host: HttpChannelHost): readonly RouteEntry<Route>[] {
        if (!spec.active) return [];
        sockets = host.sockets;
        let live: LiveChannel;
        try {
          live = liveChannel({ kind, name }, spec, host);
        } catch (error) {
          // Whoever is connected would talk to code that is gone.
          sockets.remove(name, hub);
          hub.closeAll(closeCodes.restart, "The channel is out of order");
          throw error;
        }
        hub.use(live);
        sockets.add(name, hub);
        const limits = host.rateLimits(spec.rateLimits);
        const target = { ...routeOf(live, endpoint, template), limits };
        return [{ template, methods: ["GET"], target }];
      },
      close(why): void {
        sockets?.remove(name, hub);
        if (why === "changed") hub.shut(closeCodes.restart, "The channel has changed");
        else hub.shut(closeCodes.goingAway, "The channel is gone");
      },
    };
  },
};

function routeOf(
  { info, spec, admission, stats, requestMs, service, services }: LiveChannel,
  endpoint: SocketEndpoint,
  template: Parameters<typeof paramNames>[0],
): Route {
  const behind = service === undefined ? [...services.values()] : [service];
  return {
    channel: info,
    service: behind.map((one) => one.service.name).join(", "),
    paramNames: paramNames(template),
    guard: admission?.guard,
    roles: spec.roles,
    isAudited: spec.audit,
    timeoutMs: requestMs,
    bodyBytesMax: 0,
    keepsBody: false,
    stats,
    endpoint,
  };
}
