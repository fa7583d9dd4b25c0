import { componentPaths, createComponent } from "../../config/component.ts";
import { type ServerConfig, serverConfigSchema } from "../../config/schemas.ts";
import { validateSource } from "../../config/yaml-source.ts";
import { parseClusterKey } from "../../security/cluster-key.ts";
import { refuseUsedDirectory } from "./directory.ts";
import type { OdbAccess } from "./odb-access.ts";
import { installCertificate, localHosts, type TlsSource } from "./tls-source.ts";

/** What makes a server. */
export interface CreateServerOptions {
  readonly name: string;
  readonly cluster: string;
  readonly environment: ServerConfig["environment"];
  readonly host: string;
  readonly httpPort: number;
  readonly adminPort: number;
  readonly workers: number;
  readonly odb: OdbAccess;
  readonly kvdb: { readonly url: string; readonly password?: string } | undefined;
  readonly agentUrl: string | undefined;
  /** The text of the cluster's key. */
  readonly clusterKey: string;
  readonly tls: TlsSource;
}

/**
 * Makes the directory of a server. Throws CLI_DIRECTORY_NOT_EMPTY, CONFIG_INVALID,
 * SECURITY_KEY_INVALID before anything is written, and CA_* when no certificate can be had.
 */
export async function createServer(directory: string, options: CreateServerOptions): Promise<void> {
  const { name, cluster, environment, host, odb, kvdb, agentUrl } = options;
  await refuseUsedDirectory(directory);
  parseClusterKey(options.clusterKey);
  const config = {
    name,
    cluster,
    environment,
    http: { host, port: options.httpPort },
    admin: { host, port: options.adminPort },
    workers: options.workers,
    odb: { url: odb.url },
    ...(kvdb === undefined ? {} : { kvdb: { url: kvdb.url } }),
    ...(agentUrl === undefined ? {} : { loadBalancer: { agentUrl } }),
  };
  const { config: file } = componentPaths(directory);
  validateSource(serverConfigSchema, { file, value: config, locate: () => file });
  await createComponent(directory, {
    component: "server",
    config,
    secrets: {
      "cluster.key": options.clusterKey + "\n",
      ...(odb.password === undefined ? {} : { "odb-password": odb.password }),
      ...(kvdb?.password === undefined ? {} : { "kvdb-password": kvdb.password }),
    },
  });
  const identity = { cluster, role: "server", name } as const;
  await installCertificate(directory, options.tls, { identity, hosts: localHosts(host) });
}
