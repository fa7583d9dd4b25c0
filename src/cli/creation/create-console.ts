import { createWebAdmin, type CreateWebAdminOptions } from "../../../web-admin/server/create.ts";
import { refuseUsedDirectory } from "./directory.ts";
import { installCertificate, localHosts, type TlsSource } from "./tls-source.ts";

/** Makes the directory of a web admin with its certificate; users come afterwards. */
export async function createConsole(
  directory: string,
  { tls, ...options }: CreateWebAdminOptions & { readonly tls: TlsSource },
): Promise<void> {
  await refuseUsedDirectory(directory);
  await createWebAdmin(directory, options);
  const cluster = options.clusters[0]?.name ?? "";
  const identity = { cluster, role: "web-admin", name: options.name } as const;
  await installCertificate(directory, tls, { identity, hosts: localHosts() });
}
