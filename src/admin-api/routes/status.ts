import type { Route } from "../../mtls/json-api.ts";
import type { ServerList } from "../api.ts";
import type { AdminContext } from "../context.ts";

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
          servers: (await store.listServers()).map(({ failures: _, ...row }) => row),
        })),
    },
  ];
}
