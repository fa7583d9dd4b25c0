import type { ObjectView } from "../../../admin-api/api.ts";
import type { Environment } from "../../cluster/environment.ts";

/** One line for each channel that has a path: where it is, and what it calls. */
export function channelLines(
  objects: readonly ObjectView[],
  { balancerUrl, adminUrls }: Pick<Environment, "balancerUrl" | "adminUrls">,
): string {
  const lines = objects.flatMap(({ kind, spec }) => {
    const { path, methods, service, security, active } = spec;
    if (!kind.endsWith("Channel") || typeof path !== "string" || active === false) return [];
    const base = balancerUrl ?? `the servers of ${adminUrls.join(", ")}`;
    const verbs = Array.isArray(methods) ? methods.join(",") : kind;
    const guards = Array.isArray(security) ? `, needs ${security.join(" or ")}` : "";
    return [`  ${verbs} ${base}${path} -> ${String(service)}${guards}\n`];
  });
  return lines.join("");
}
