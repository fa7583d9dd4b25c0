import { PlatformError, reasonOf } from "../../src/errors/platform-error.ts";
import type { CallOptions } from "../../src/mtls/client.ts";

/** The part of a JSON client that people's wishes need. */
export interface AdminClient {
  get<T>(path: string, options?: CallOptions<T>): Promise<T>;
  post<T>(path: string, body?: unknown, options?: CallOptions<T>): Promise<T>;
  close(): void;
}

/** The way to one cluster's admin API, for what people ask of it. */
export interface AdminAccess {
  readonly cluster: string;
  /** Those that are configured and those that were learnt, asked in this order. */
  readonly adminUrls: () => readonly string[];
  /** Opens a client that accepts servers of the cluster only; it is closed after use. */
  readonly connect: (adminUrl: string) => Promise<AdminClient>;
}

const probeMs = 2_000;

/**
 * Lends the first server that answers. A call is not repeated at another one. Throws
 * WEB_ADMIN_NO_SERVER.
 */
export async function withServer<T>(
  { cluster, adminUrls, connect }: AdminAccess,
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

/** What is known of the named cluster. Throws WEB_ADMIN_NO_CLUSTER. */
export function ofCluster<T>(all: ReadonlyMap<string, T>, cluster = ""): T {
  const found = all.get(cluster);
  if (found !== undefined) return found;
  throw new PlatformError("WEB_ADMIN_NO_CLUSTER", {
    cluster,
    clusters: [...all.keys()].join(", "),
  });
}
