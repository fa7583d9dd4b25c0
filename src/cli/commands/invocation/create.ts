import type { EnqueueRequest } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { parseJsonInput } from "../../json-input.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "invocation create",
  summary: "Hand over a service call, to be run at least once by whichever server is free",
  description: "It is kept by the cluster when the command ends, and survives any server.",
  arguments: { service: { summary: "The service's name" } },
  options: {
    input: {
      type: "text",
      short: "i",
      value: "JSON",
      summary: "The input as JSON, or - for standard input (default: {})",
    },
    delayMs: {
      type: "integer",
      min: 0,
      max: 2 ** 31,
      default: 0,
      value: "MS",
      summary: "How long to wait before the first attempt",
    },
    attempts: {
      type: "integer",
      min: 1,
      max: 1_000,
      default: 5,
      value: "N",
      summary: "How often to try before it counts as failed",
    },
    retryMs: {
      type: "integer",
      min: 0,
      max: 3_600_000,
      default: 1_000,
      value: "MS",
      summary: "Wait before the second attempt, doubled for each further one",
    },
    callback: { type: "text", value: "NAME", summary: "A service to be told how it ended" },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    `dragoman invocation create orders.bill --input '{"order":7}' --env ./demo`,
    "dragoman invocation create orders.bill --delay-ms 60000 --callback orders.billed",
  ],
  async run({ service, input, callback, env, output, ...options }, io) {
    const { delayMs, attempts, retryMs } = options;
    const request: EnqueueRequest = {
      service,
      input: await parseJsonInput(input, io, "invocation create"),
      delayMs,
      attempts,
      retryMs,
      ...(callback === undefined ? {} : { callback }),
    };
    const environment = await loadEnvironment({ env }, io);
    const result = await withAdmin(
      environment,
      (client) => client.post<{ readonly id: string }>("/v1/invocations", request),
    );
    const table = `${result.id}\nSee what becomes of it: dragoman invocation show ${result.id}`;
    await printResult(io.stdout, output, { value: result, table });
  },
});
