import { resolve } from "node:path";
import { checkSet } from "../../checks/component.ts";
import { findingsTable, refuseFailures } from "../../checks/finding.ts";
import { defineCommand, outputOption } from "../../command.ts";
import { loadComponents } from "../../lifecycle/component.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "check-config",
  summary: "Check a component's or an environment's configuration and what it depends on",
  description: "Configuration, ports, certificate, ODB and KVDB; nothing is changed.",
  arguments: { directory: { summary: "A component's or an environment's directory" } },
  options: { output: outputOption },
  examples: ["dragoman check-config ./demo/server1"],
  async run({ directory, output }, io) {
    const set = await loadComponents(resolve(io.cwd, directory));
    const findings = await checkSet(set);
    const table = findingsTable(findings, io.stdout.colour);
    await printResult(io.stdout, output, { value: findings, table });
    refuseFailures(set.root, findings);
  },
});
