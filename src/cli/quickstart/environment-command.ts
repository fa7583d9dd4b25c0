import { resolve } from "node:path";
import { loadMarker } from "../../config/component.ts";
import type { CommandIo } from "../io.ts";
import { type ComponentSet, loadComponents } from "../lifecycle/component.ts";

/** The one argument of the quickstart commands that deal with what was made. */
export const environmentArgument = { summary: "The environment's directory" } as const;

/** Reads an environment. Throws CONFIG_NOT_A_COMPONENT, CONFIG_WRONG_COMPONENT, CONFIG_*. */
export async function loadOwnEnvironment(
  directory: string,
  { cwd }: CommandIo,
): Promise<ComponentSet> {
  const root = resolve(cwd, directory);
  await loadMarker(root, "environment");
  return await loadComponents(root);
}
