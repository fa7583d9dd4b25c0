import { createLoadBalancer, type CreateLoadBalancerOptions } from "../../load-balancer/create.ts";
import { refuseUsedDirectory } from "./directory.ts";
import { installCertificate, localHosts, type TlsSource } from "./tls-source.ts";

/** Makes the directory of a load balancer with its certificate and says which engine it has. */
export async function createBalancer(
  directory: string,
  { tls, ...options }: CreateLoadBalancerOptions & { readonly tls: TlsSource },
): Promise<"haproxy" | "embedded"> {
  await refuseUsedDirectory(directory);
  const { engine } = await createLoadBalancer(directory, options);
  const { cluster, name, agent } = options;
  const identity = { cluster, role: "load-balancer", name } as const;
  await installCertificate(directory, tls, { identity, hosts: localHosts(agent.host) });
  return engine;
}
