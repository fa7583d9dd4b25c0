import type { ApiRequest } from "../../mtls/json-api.ts";

/**
 * Who is written down as the author of a change: `operator/ana`. The web admin speaks for its
 * users and names them: `web-admin/admin`; nobody else's word on that is taken.
 */
export function authorOf({ peer, headers }: ApiRequest): string {
  const user = headers["x-dragoman-user"];
  if (peer.role === "web-admin" && typeof user === "string") {
    return `web-admin/${user.replace(/[^\w.@-]/g, "_").slice(0, 100)}`;
  }
  return `${peer.role}/${peer.name}`;
}
