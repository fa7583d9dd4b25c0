import type { ChangeResult } from "../../load-balancer/api.ts";
import type { AgentClient } from "../../load-balancer/client.ts";
import { loadEnvironment, withAgent } from "../cluster/environment.ts";
import { environmentOption, type OptionSpec, outputOption } from "../command.ts";
import type { CommandIo } from "../io.ts";
import { type OutputFormat, printResult } from "../output.ts";

/** Options of every command that changes a load balancer. */
export const changeOptions = {
  why: { type: "text", value: "TEXT", summary: "The reason, for the history" },
  force: {
    type: "flag",
    summary: "Change it though that undoes what this balancer could not take of another one",
  },
  env: environmentOption,
  output: outputOption,
} as const satisfies Readonly<Record<string, OptionSpec>>;

interface ChangeInput {
  readonly env: string | undefined;
  readonly output: OutputFormat;
}

/** Makes a change through the balancer's agent and prints what it came to. */
export async function runChange(
  { env, output }: ChangeInput,
  io: CommandIo,
  { what, change }: {
    /** `server1 drains`: the sentence that is printed when it did. */
    readonly what: string;
    readonly change: (agent: AgentClient) => Promise<ChangeResult | undefined>;
  },
): Promise<void> {
  const environment = await loadEnvironment({ env }, io);
  const result = await withAgent(environment, change);
  await printResult(io.stdout, output, {
    value: result ?? null,
    table: renderChange(what, result),
  });
}

/** One line for the change, one for each other balancer. */
export function renderChange(what: string, result: ChangeResult | undefined): string {
  if (result === undefined) return what;
  const { changed, revision, peers } = result;
  const first = changed ? `${what} (revision ${revision})` : `${what}, as before`;
  const others = peers.map(({ url, state, reason }) =>
    state === "in step" ? `${url} has it too` : `${url} is ${state}: ${reason}; it gets it later`
  );
  return [first, ...others].join("\n");
}
