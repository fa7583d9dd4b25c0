import type { DeploymentView, DeployResult, DeploySourceRequest } from "../../src/admin-api/api.ts";
import { type AdminAccess, withServer } from "./admin-access.ts";

/** What people do to a cluster's deployments, through the admin API of any server that answers. */
export interface Deployments {
  list(): Promise<readonly DeploymentView[]>;
  /** `username` is written down as who did it. Throws WEB_ADMIN_NO_SERVER, DEPLOY_*. */
  deploy(request: DeploySourceRequest, username: string): Promise<DeployResult>;
}

/** Every server loads the code before any of them takes it. */
const deployMs = 120_000;

/** Makes the deployments of one cluster. Cheap: it connects when asked for something. */
export function createDeployments(access: AdminAccess): Deployments {
  return {
    list: () => withServer(access, (client) => client.get("/v1/deployments")),
    deploy: (request, username) =>
      withServer(access, (client) =>
        client.post("/v1/deployments/source", request, {
          timeoutMs: deployMs,
          headers: { "X-Dragoman-User": username },
        })),
  };
}
