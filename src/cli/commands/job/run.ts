import type { RunDetail, RunJobRequest } from "../../../admin-api/api.ts";
import { poll } from "../../../lib/wait.ts";
import type { JsonClient } from "../../../mtls/client.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { outputText } from "../../cluster/job-text.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { exitCodes } from "../../error-text.ts";
import { parseJsonInput } from "../../json-input.ts";
import { printResult } from "../../output.ts";

const askMs = 200;

export const command = defineCommand({
  path: "job run",
  summary: "Run a job now, whatever its schedule says",
  description:
    "Whichever server is free runs it; its policy on overlapping runs counts as always. " +
    "Inactive and paused jobs can be run so, too. With --wait, the output of the service is " +
    "printed, and the exit code is 1 when the run did not end well.",
  arguments: { name: { summary: "The job's name" } },
  options: {
    input: {
      type: "text",
      short: "i",
      value: "JSON",
      summary: "Input instead of the job's own, or - for standard input",
    },
    wait: { type: "flag", short: "w", summary: "Wait for the end and print the output" },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman job run billing.close --wait --env ./demo",
    `dragoman job run billing.close --input '{"region":"eu"}'`,
  ],
  async run({ name, input, wait, env, output }, io) {
    const request: RunJobRequest = input === undefined
      ? {}
      : { input: await parseJsonInput(input, io, "job run") };
    const environment = await loadEnvironment({ env }, io);
    return await withAdmin(environment, async (client) => {
      const path = `/v1/jobs/${encodeURIComponent(name)}/run`;
      const { id } = await client.post<{ readonly id: string }>(path, request);
      if (!wait) {
        const table = `${id}\nSee what becomes of it: dragoman job history --run ${id}`;
        await printResult(io.stdout, output, { value: { id }, table });
        return exitCodes.ok;
      }
      const run = await ended(client, id);
      const on = run.server === null ? "" : ` on ${run.server} in ${run.durationMs} ms`;
      const why = run.reason === null ? "" : `: ${run.reason}`;
      io.stderr.write(`Run ${id} is ${run.state}${on}${why}\n`);
      const table = outputText(run);
      if (output !== "table" || table !== undefined) {
        await printResult(io.stdout, output, { value: run, table: table ?? "" });
      }
      return run.state === "ok" ? exitCodes.ok : exitCodes.failed;
    });
  },
});

async function ended(client: JsonClient, id: string): Promise<RunDetail> {
  const run = await poll(async () => {
    const now = await client.get<RunDetail>(`/v1/runs/${id}`);
    return now.state === "planned" || now.state === "running" ? undefined : now;
  }, { timeoutMs: Infinity, intervalMs: askMs });
  return run!; // without a time limit, it comes to an end or throws
}
