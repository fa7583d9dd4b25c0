import type { InvocationView } from "../../../admin-api/api.ts";
import { invocationStates } from "../../../odb/durable-types.ts";
import { printList } from "../../cluster/print-list.ts";
import { defineCommand, environmentOption, limitOption, outputOption } from "../../command.ts";

/** Longer errors are cut in the table; invocation show has all of them. */
const errorMax = 60;

export const command = defineCommand({
  path: "invocation list",
  summary: "List invocations that were handed over to run later, newest first",
  description:
    "pending: waits for its time; running; done: kept for a day; failed: no attempts are " +
    "left, kept for 30 days; cancelled.",
  arguments: {},
  options: {
    state: { type: "choice", choices: invocationStates, summary: "Only those in this state" },
    service: { type: "text", value: "NAME", summary: "Only those of this service" },
    limit: { ...limitOption, default: 100 },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman invocation list --state failed --env ./demo",
    "dragoman invocation list --service orders.bill",
  ],
  async run({ state, service, limit, ...input }, io) {
    await printList<InvocationView>(input, io, {
      path: "/v1/invocations",
      query: { limit, state, service },
      table: (invocations) => ({
        columns: ["id", "service", "state", "attempts", "next or end", "error"],
        rows: invocations.map((one) => [
          one.id,
          one.service,
          one.state,
          `${one.attempts} of ${one.attemptsMax}`,
          one.finishedAt ?? (one.state === "running" ? `on ${one.claimedBy}` : one.dueAt ?? "-"),
          shorten(one.lastError ?? "-"),
        ]),
        empty: "There are none",
      }),
    });
  },
});

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > errorMax ? `${line.slice(0, errorMax - 3)}...` : line;
}
