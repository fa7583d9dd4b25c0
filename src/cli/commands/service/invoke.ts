import type { InvokeRequest, InvokeResult } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { parseJsonInput } from "../../json-input.ts";
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
    const request: InvokeRequest = { input: await parseJsonInput(input, io, "service invoke") };
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
