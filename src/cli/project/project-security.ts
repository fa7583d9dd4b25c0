import { kinds } from "../../connectors/registry.ts";
import { loadText, parseYaml } from "../../config/yaml-source.ts";
import { findProjectFiles } from "./project-files.ts";

/** The first security definition among a project's objects, as a list; empty when it has none. */
export async function findSecurity(directory: string): Promise<readonly string[]> {
  const { objects } = await findProjectFiles(directory);
  for (const file of objects) {
    for (const { value } of parseYaml(await loadText(file), file)) {
      if (value === null || typeof value !== "object") continue;
      const { kind, name } = value as { readonly kind?: unknown; readonly name?: unknown }; // read with care
      const isSecurity = typeof kind === "string" && kinds.get(kind)?.group === "security";
      if (isSecurity && typeof name === "string") return [name];
    }
  }
  return [];
}
