import { PlatformError } from "../../errors/platform-error.ts";
import type { ApiRequest, Route } from "../../mtls/json-api.ts";
import type { RestartAnswer, ServerList } from "../api.ts";
import { type AdminContext, authorOf } from "../context.ts";

/** What a server says of itself, and what the cluster knows of its servers. */
export function statusRoutes(context: AdminContext): readonly Route[] {
  const { supervisor, link, cluster } = context;
  return [
    {
      method: "GET",
      path: "/v1/health",
      roles: ["operator", "web-admin", "server", "load-balancer"],
      handle: () => ({ server: supervisor.name, state: supervisor.state }),
    },
    {
      method: "GET",
      path: "/v1/status",
      roles: ["operator", "web-admin", "server"],
      handle: () => supervisor.status(),
    },
    {
      method: "GET",
      path: "/v1/servers",
      roles: ["operator", "web-admin", "server"],
      handle: (): Promise<ServerList> =>
        link.use(async (store) => ({
          cluster,
          revision: await store.revision(),
          servers: (await store.listServers()).map(({ failures: _, details: __, ...row }) => row),
        })),
    },
    {
      method: "POST",
      path: "/v1/restart",
      roles: ["operator", "web-admin"],
      handle(request): RestartAnswer {
        const { name, incarnation, state } = supervisor.status();
        if (state !== "up") throw new PlatformError("SERVER_NOT_UP", { server: name, state });
        context.logger.info("Restart asked for", { by: authorOf(request) });
        context.restart();
        return { server: name, incarnation };
      },
    },
    {
      method: "DELETE",
      path: "/v1/servers/:name",
      roles: ["operator", "web-admin"],
      handle: (request): Promise<void> => forgetServer(context, request),
    },
  ];
}

/** Strikes a server off the list that will not come back. One that lives would only return. */
async function forgetServer(context: AdminContext, request: ApiRequest): Promise<void> {
  const name = request.params["name"]!;
  await context.link.use(async (store) => {
    const row = (await store.listServers()).find((server) => server.name === name);
    if (row !== undefined && row.state !== "down" && row.state !== "lost") {
      throw new PlatformError("ADMIN_SERVER_LIVES", { name, state: row.state });
    }
    await store.deleteServer(name);
  });
  context.logger.info("Server struck off the list", { struck: name, by: authorOf(request) });
}
