import { relative, resolve } from "node:path";
import { loadConfig } from "../../../config/component.ts";
import {
  type EnvironmentConfig,
  loadBalancerConfigSchema,
  serverConfigSchema,
  webAdminConfigSchema,
} from "../../../config/schemas.ts";
import { PlatformError } from "../../../errors/platform-error.ts";
import { defineCommand } from "../../command.ts";
import { createEnvironment } from "../../creation/create-environment.ts";
import { modeOption } from "../../creation/options.ts";
import { refuseExisting } from "../../creation/create-cluster.ts";
import { readTlsSource, tlsOptions } from "../../creation/tls-source.ts";
import { type Component, loadComponent } from "../../lifecycle/component.ts";
import { urlHost } from "../../lifecycle/probe.ts";

export const command = defineCommand({
  path: "create environment",
  summary: "Bind the components of a cluster on this machine, and an operator's certificate",
  description: "The directory is what --env takes. It may be the one that holds the components. " +
    "For a cluster on other machines give --admin-url instead of components.",
  arguments: { directory: { summary: "The environment's directory" } },
  options: {
    cluster: { type: "text", value: "NAME", required: true, summary: "The cluster" },
    component: { type: "list", value: "DIR", summary: "Directory of a component of it" },
    adminUrl: { type: "list", value: "URL", summary: "Admin API of a further server" },
    agentUrl: { type: "text", value: "URL", summary: "The balancer's agent on another machine" },
    operator: { type: "text", value: "NAME", default: "cli", summary: "The operator's name" },
    mode: modeOption,
    ...tlsOptions,
  },
  examples: [
    "dragoman create environment ./prod --cluster prod --ca ./ca " +
    "--component ./load-balancer --component ./server1",
  ],
  async run(input, io) {
    const directory = resolve(io.cwd, input.directory);
    await refuseExisting(resolve(directory, "component.json"));
    const tls = await readTlsSource(input, { command: "create environment", io });
    const components = await Promise.all(
      input.component.map((part) => loadComponent(resolve(io.cwd, part))),
    );
    const config = await describe(input, { directory, components });
    await createEnvironment(directory, { config, tls, operator: input.operator });
    io.stdout.write(`Environment of cluster "${input.cluster}" is in ${directory}\n`);
  },
});

async function describe(
  { cluster, mode, adminUrl, agentUrl }: {
    readonly cluster: string;
    readonly mode: EnvironmentConfig["environment"];
    readonly adminUrl: readonly string[];
    readonly agentUrl: string | undefined;
  },
  { directory, components }: {
    readonly directory: string;
    readonly components: readonly Component[];
  },
): Promise<EnvironmentConfig> {
  const urls: Partial<Record<"agentUrl" | "balancerUrl" | "webAdminUrl", string>> = {};
  const adminUrls: string[] = [];
  for (const component of components) {
    if (component.kind === "server") {
      const config = await loadConfig(component.directory, serverConfigSchema);
      refuseOtherCluster(component, { wanted: cluster, found: config.cluster });
      adminUrls.push(urlOf("https", config.admin));
    }
    if (component.kind === "load-balancer") {
      const config = await loadConfig(component.directory, loadBalancerConfigSchema);
      refuseOtherCluster(component, { wanted: cluster, found: config.cluster });
      urls.agentUrl = urlOf("https", config.agent);
      urls.balancerUrl = urlOf("http", config.http);
    }
    if (component.kind === "web-admin") {
      const config = await loadConfig(component.directory, webAdminConfigSchema);
      urls.webAdminUrl = urlOf("http", config.http);
    }
  }
  return {
    cluster,
    environment: mode,
    components: components.map(({ name, kind, directory: own }) => ({
      name,
      component: kind,
      directory: relativeOrAbsolute(directory, own),
    })),
    adminUrls: [...adminUrls, ...adminUrl],
    ...urls,
    ...(agentUrl === undefined ? {} : { agentUrl }),
  };
}

function urlOf(scheme: string, { host, port }: { host: string; port: number }): string {
  return `${scheme}://${urlHost(host)}:${port}`;
}

// What lies inside the environment moves with it.
function relativeOrAbsolute(directory: string, component: string): string {
  const path = relative(directory, component);
  return path.startsWith("..") ? component : path;
}

function refuseOtherCluster(
  { kind, directory }: Component,
  { wanted, found }: { readonly wanted: string; readonly found: string },
): void {
  if (wanted === found) return;
  const reason = `The ${kind} in ${directory} belongs to cluster "${found}", not "${wanted}"`;
  throw new PlatformError("CLI_USAGE", { reason, command: "create environment" });
}
