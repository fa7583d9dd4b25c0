import { checkSet } from "../../checks/component.ts";
import { type Finding, finding, findingsTable, refuseFailures } from "../../checks/finding.ts";
import { checkPlatform } from "../../checks/platform.ts";
import { loadEnvironment } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { isPlatformError } from "../../../errors/platform-error.ts";
import type { CommandIo } from "../../io.ts";
import { loadComponents } from "../../lifecycle/component.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "doctor",
  summary: "Look for everything that could keep Dragoman from working, with a fix for each finding",
  description: "Runtime and packages; and of an environment, when one is named or found, every " +
    "component's configuration, ports, certificate, ODB and KVDB.",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman doctor", "dragoman doctor --env ./demo -o json"],
  async run({ env, output }, io) {
    const findings = [...await checkPlatform(), ...await checkEnvironment(env, io)];
    const table = findingsTable(findings, io.stdout.colour);
    await printResult(io.stdout, output, { value: findings, table });
    refuseFailures("Dragoman", findings);
  },
});

async function checkEnvironment(
  env: string | undefined,
  io: CommandIo,
): Promise<readonly Finding[]> {
  try {
    const { directory } = await loadEnvironment({ env }, io);
    return await checkSet(await loadComponents(directory));
  } catch (error) {
    // Without an environment there is only the platform to look at.
    if (isPlatformError(error, "CLI_NO_ENVIRONMENT")) return [];
    return [await finding("environment", () => Promise.reject(error))];
  }
}
