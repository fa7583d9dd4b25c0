import type { LeaseTermView } from "../../../admin-api/api.ts";
import { printList } from "../../cluster/print-list.ts";
import { defineCommand, environmentOption, limitOption, outputOption } from "../../command.ts";

export const command = defineCommand({
  path: "lease history",
  summary: "List who held a lease from when to when, and why it ended, newest first",
  description:
    "released: its server stopped; rebalanced: handed to another server to spread the load; " +
    "expired: its server died, froze or could not reach the ODB.",
  arguments: { name: { summary: "The lease, such as scheduler (default: all)", optional: true } },
  options: {
    limit: limitOption,
    env: environmentOption,
    output: outputOption,
  },
  examples: ["dragoman lease history scheduler --env ./demo"],
  async run({ name, limit, ...input }, io) {
    await printList<LeaseTermView>(input, io, {
      path: "/v1/leases/history",
      query: { limit, name },
      table: (terms) => ({
        columns: ["lease", "epoch", "server", "from", "until", "ended because"],
        rows: terms.map((term) => [
          term.name,
          term.epoch,
          term.server,
          term.startedAt,
          term.endedAt ?? "-",
          term.end ?? "-",
        ]),
        empty: "Nobody has held it so far",
      }),
    });
  },
});
