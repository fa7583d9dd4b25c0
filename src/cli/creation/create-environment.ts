import { componentPaths, createComponent } from "../../config/component.ts";
import { type EnvironmentConfig, environmentConfigSchema } from "../../config/schemas.ts";
import { validateSource } from "../../config/yaml-source.ts";
import { installCertificate, localHosts, type TlsSource } from "./tls-source.ts";

/**
 * Makes an environment out of `directory`, which may hold its components already, with an
 * operator's certificate. Throws CONFIG_INVALID, CA_*.
 */
export async function createEnvironment(
  directory: string,
  { config, tls, operator }: {
    readonly config: EnvironmentConfig;
    readonly tls: TlsSource;
    /** The operator's name, as the audit trail will show it. */
    readonly operator: string;
  },
): Promise<void> {
  const { config: file } = componentPaths(directory);
  validateSource(environmentConfigSchema, { file, value: config, locate: () => file });
  await createComponent(directory, { component: "environment", config });
  const identity = { cluster: config.cluster, role: "operator", name: operator } as const;
  await installCertificate(directory, tls, { identity, hosts: localHosts() });
}
