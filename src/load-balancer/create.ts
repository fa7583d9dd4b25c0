import type { z } from "zod";
import { type ComponentPaths, createComponent } from "../config/component.ts";
import { type LoadBalancerConfig, loadBalancerConfigSchema } from "../config/schemas.ts";
import { describeIssues } from "../config/yaml-source.ts";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { findHaproxy } from "./haproxy/binary.ts";

export interface CreateLoadBalancerOptions {
  readonly name: string;
  readonly cluster: string;
  readonly environment: LoadBalancerConfig["environment"];
  /** `auto`: HAProxy when a usable one is installed, else the embedded engine. */
  readonly engine: "auto" | "haproxy" | "embedded";
  /** Where clients connect. */
  readonly http: { readonly host: string; readonly port: number };
  /** Where servers, web admin and operators reach the agent. */
  readonly agent: { readonly host: string; readonly port: number };
}

export interface CreatedLoadBalancer {
  readonly paths: ComponentPaths;
  readonly engine: LoadBalancerConfig["engine"];
}

/**
 * Makes the directory of a load balancer and says which engine it will use. Its certificate is put
 * into `tls/` by whoever issues it. Throws CONFIG_INVALID, BALANCER_HAPROXY_MISSING,
 * BALANCER_HAPROXY_TOO_OLD; then nothing is made.
 */
export async function createLoadBalancer(
  directory: string,
  options: CreateLoadBalancerOptions,
): Promise<CreatedLoadBalancer> {
  const engine = await chooseEngine(options.engine);
  const { name, cluster, environment, http, agent } = options;
  const config = { name, cluster, environment, engine, http, agent };
  const result = loadBalancerConfigSchema.safeParse(config);
  if (!result.success) throw invalid(result.error);
  return {
    paths: await createComponent(directory, { component: "load-balancer", config }),
    engine,
  };
}

async function chooseEngine(
  wanted: CreateLoadBalancerOptions["engine"],
): Promise<LoadBalancerConfig["engine"]> {
  if (wanted === "embedded") return wanted;
  try {
    await findHaproxy();
    return "haproxy";
  } catch (error) {
    const unusable = isPlatformError(error, "BALANCER_HAPROXY_MISSING") ||
      isPlatformError(error, "BALANCER_HAPROXY_TOO_OLD");
    if (wanted === "auto" && unusable) return "embedded";
    throw error;
  }
}

function invalid(error: z.ZodError): PlatformError {
  const reason = describeIssues(error, loadBalancerConfigSchema)
    .map((issue) => issue.reason).join("; ");
  return new PlatformError("CONFIG_INVALID", { where: "load balancer", reason });
}
