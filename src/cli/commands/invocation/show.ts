import type { InvocationDetail } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult, renderFields } from "../../output.ts";

export const command = defineCommand({
  path: "invocation show",
  summary: "Show one invocation: what it is, how often it failed, why, and what comes next",
  arguments: { id: { summary: "Its id, as invocation list shows it" } },
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman invocation show 019a1b2c3d4e5f60718293a4b5c6d7e8 --env ./demo"],
  async run({ id, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/invocations/${encodeURIComponent(id)}`;
    const one = await withAdmin(environment, (client) => client.get<InvocationDetail>(path));
    await printResult(io.stdout, output, { value: one, table: renderInvocation(one) });
  },
});

function renderInvocation(one: InvocationDetail): string {
  const fields: (readonly [string, string | number])[] = [
    ["Service", one.service],
    ["State", one.state],
    ["Next", nextStep(one)],
    ["Attempts", `${one.attempts} of ${one.attemptsMax}, first wait ${one.retryMs} ms`],
  ];
  if (one.losses > 0) fields.push(["Cut off", `${one.losses} times with its worker or server`]);
  if (one.lastError !== null) fields.push(["Last error", one.lastError]);
  if (one.claimedBy !== null) fields.push(["Server", one.claimedBy]);
  fields.push(["Created", one.createdAt]);
  if (one.finishedAt !== null) fields.push(["Ended", one.finishedAt]);
  if (one.callback !== null) fields.push(["Callback", one.callback]);
  fields.push(["Cid", `${one.cid} (look for it in the servers' logs)`]);
  const output = outputText(one);
  return `${renderFields(fields)}\n\nInput:\n${JSON.stringify(one.input, null, 2)}` +
    (output === undefined ? "" : `\n\nOutput:\n${output}`);
}

function nextStep({ id, state, dueAt, claimedBy }: InvocationDetail): string {
  switch (state) {
    case "pending":
      return `runs at ${dueAt}`;
    case "running":
      return `runs on ${claimedBy}; others take over at ${dueAt} unless that server is heard of`;
    case "failed":
      return `nothing by itself; once the cause is mended: dragoman invocation retry ${id}`;
    case "cancelled":
      return `nothing by itself; to run it after all: dragoman invocation retry ${id}`;
    case "done":
      return "nothing";
  }
}

function outputText({ output, outputLength }: InvocationDetail): string | undefined {
  if (outputLength === null) return undefined;
  if (output === undefined) return `not kept: it has ${outputLength} characters of JSON`;
  return JSON.stringify(output, null, 2);
}
