import { resolve } from "node:path";
import { type ComponentKind, componentPaths, loadMarker } from "../../../config/component.ts";
import { loadText, parseYaml } from "../../../config/yaml-source.ts";
import { defineCommand, outputOption } from "../../command.ts";
import { loadComponent, runnableKinds } from "../../lifecycle/component.ts";
import { type ComponentStatus, componentStatus } from "../../lifecycle/state.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "info",
  summary: "Show what a directory is, its process and its configuration",
  arguments: { directory: { summary: "A component's or an environment's directory" } },
  options: { output: outputOption },
  examples: ["dragoman info ./demo/server1", "dragoman info ./demo -o json"],
  async run({ directory: named, output }, io) {
    const directory = resolve(io.cwd, named);
    const { component, version, createdAt } = await loadMarker(directory);
    const { config: file, log } = componentPaths(directory);
    const [source] = parseYaml(await loadText(file), file);
    const value = {
      directory,
      component,
      createdWith: version,
      createdAt,
      ...await describeProcess(directory, component),
      log,
      config: source?.value ?? {},
    };
    // A nested configuration reads best as YAML, for people as well.
    const { stringify } = await import("yaml");
    await printResult(io.stdout, output, { value, table: stringify(value).trimEnd() });
  },
});

async function describeProcess(
  directory: string,
  component: ComponentKind,
): Promise<Partial<Pick<ComponentStatus, "state" | "pid" | "uptimeSeconds" | "ports">>> {
  if (!runnableKinds.some((kind) => kind === component)) return {};
  const { state, pid, uptimeSeconds, ports } = await componentStatus(
    await loadComponent(directory),
  );
  return { state, pid, uptimeSeconds, ports };
}
