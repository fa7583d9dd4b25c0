import type { DeploymentView, DeployResult, DeploySourceRequest } from "../../src/admin-api/api.ts";
import { PlatformError, reasonOf } from "../../src/errors/platform-error.ts";
import type { CallOptions } from "../../src/mtls/client.ts";

/** The part of a JSON client that deploying needs. */
export interface AdminClient {
  get<T>(path: string, options?: CallOptions<T>): Promise<T>;
  post<T>(path: string, body?: unknown, options?: CallOptions<T>): Promise<T>;
  close(): void;
}

/** What people do to a cluster's deployments, through the admin API of any server that answers. */
export interface Deployments {
  list(): Promise<readonly DeploymentView[]>;
  /** `username` is written down as who did it. Throws WEB_ADMIN_NO_SERVER, DEPLOY_*. */
  deploy(request: DeploySourceRequest, username: string): Promise<DeployResult>;
}

export interface DeploymentsOptions {
  readonly cluster: string;
  /** Those that are configured and those that were learnt, asked in this order. */
  readonly adminUrls: () => readonly string[];
  /** Opens a client that accepts servers of the cluster only; it is closed after use. */
  readonly connect: (adminUrl: string) => Promise<AdminClient>;
}

const probeMs = 2_000;
/** Every server loads the code before any of them takes it. */
const deployMs = 120_000;

/** Makes the deployments of one cluster. Cheap: it connects when asked for something. */
export function createDeployments(options: DeploymentsOptions): Deployments {
  return {
    list: () => withServer(options, (client) => client.get("/v1/deployments")),
    deploy: (request, username) =>
      withServer(options, (client) =>
        client.post("/v1/deployments/source", request, {
          timeoutMs: deployMs,
          headers: { "X-Dragoman-User": username },
        })),
  };
}

/** Lends the first server that answers. A call is not repeated at another one. */
async function withServer<T>(
  { cluster, adminUrls, connect }: DeploymentsOptions,
  use: (client: AdminClient) => Promise<T>,
): Promise<T> {
  const reasons: string[] = [];
  for (const url of adminUrls()) {
    const client = await connect(url);
    try {
      const answers = await client.get("/v1/health", { timeoutMs: probeMs }).then(
        () => true,
        (error: unknown) => {
          reasons.push(`${url}: ${reasonOf(error)}`);
          return false;
        },
      );
      if (answers) return await use(client);
    } finally {
      client.close();
    }
  }
  throw new PlatformError("WEB_ADMIN_NO_SERVER", { cluster, reason: reasons.join("; ") });
}
