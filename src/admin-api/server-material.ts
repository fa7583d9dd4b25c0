import { loadSecret } from "../config/component.ts";
import type { ServerConfig } from "../config/schemas.ts";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import type { TlsMaterial } from "../mtls/identity.ts";
import { loadTls } from "../mtls/tls-material.ts";
import { type ClusterKey, parseClusterKey } from "../security/cluster-key.ts";

/** What a server keeps under `secrets/` and `tls/`. */
export interface ServerMaterial {
  readonly tls: TlsMaterial;
  readonly clusterKey: ClusterKey;
  readonly clusterKeyText: string;
  readonly odbPassword: string | undefined;
  readonly kvdbPassword: string | undefined;
}

/** Reads a server's secrets and certificate. Throws SERVER_NO_KEY, or what loadTls throws. */
export async function loadServerMaterial(
  directory: string,
  config: ServerConfig,
): Promise<ServerMaterial> {
  const server = config.name;
  const clusterKeyText = await loadSecret(directory, "cluster.key");
  if (clusterKeyText === undefined) {
    throw new PlatformError("SERVER_NO_KEY", { server, reason: "secrets/cluster.key is missing" });
  }
  let clusterKey: ClusterKey;
  try {
    clusterKey = parseClusterKey(clusterKeyText);
  } catch (error) {
    throw new PlatformError("SERVER_NO_KEY", { server, reason: reasonOf(error) }, { cause: error });
  }
  return {
    tls: await loadTls(directory),
    clusterKey,
    clusterKeyText,
    odbPassword: await loadSecret(directory, "odb-password"),
    kvdbPassword: await loadSecret(directory, "kvdb-password"),
  };
}
