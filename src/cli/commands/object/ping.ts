import type { PingAnswer } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "ping",
  summary: "Test an outgoing connection, from a server of the cluster",
  description: "Works for connections that are not active too. Ends with 1, and what is wrong, " +
    "when the other side does not answer as it should.",
  arguments: {
    kind: { summary: "Such as RestOutgoing" },
    name: { summary: "The object's name" },
  },
  options: {
    timeoutMs: {
      type: "integer",
      min: 1,
      max: 60_000,
      default: 10_000,
      value: "MS",
      summary: "Longest time to wait for an answer",
    },
    env: environmentOption,
    output: outputOption,
  },
  examples: ["dragoman ping RestOutgoing CRM --env ./demo"],
  async run({ kind, name, timeoutMs, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/objects/${encodeURIComponent(kind)}/${encodeURIComponent(name)}/ping`;
    const answer = await withAdmin(
      environment,
      (client) => client.post<PingAnswer>(path, { timeoutMs }),
    );
    const { server, durationMs, detail } = answer;
    const table = `${kind} "${name}" works: ${detail}, in ${durationMs} ms, asked by ${server}`;
    await printResult(io.stdout, output, { value: answer, table });
  },
});
