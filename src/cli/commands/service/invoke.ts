import type { InvokeRequest, InvokeResult } from "../../../admin-api/api.ts";
import { PlatformError, reasonOf } from "../../../errors/platform-error.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "service invoke",
  summary: "Invoke a service by its name and print what it returns",
  arguments: { name: { summary: "The service's name" } },
  options: {
    input: {
      type: "text",
      short: "i",
      value: "JSON",
      summary: "The input as JSON, or - for standard input (default: {})",
    },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    `dragoman service invoke demo.hello --input '{"name":"Ana"}' --env ./demo`,
    "dragoman service invoke demo.hello --input - < input.json",
  ],
  async run({ name, input, env, output }, io) {
    const text = input === "-" ? await io.readStdin() : input ?? "{}";
    const request: InvokeRequest = { input: parseInput(text) };
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/services/${encodeURIComponent(name)}/invoke`;
    const result = await withAdmin(
      environment,
      (client) => client.post<InvokeResult>(path, request),
    );
    io.stderr.write(`${result.server} answered in ${result.durationMs} ms, cid ${result.cid}\n`);
    const table = JSON.stringify(result.output ?? null, null, 2);
    await printResult(io.stdout, output, { value: result, table });
  },
});

function parseInput(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PlatformError("CLI_USAGE", {
      reason: `The input is not JSON: ${reasonOf(error)}`,
      command: "service invoke",
    });
  }
}
