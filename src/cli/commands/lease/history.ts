import type { LeaseTermView } from "../../../admin-api/api.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, limitOption, outputOption } from "../../command.ts";
import { printResult } from "../../output.ts";

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
  async run({ name, limit, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const query = new URLSearchParams({ limit: String(limit) });
    if (name !== undefined) query.set("name", name);
    const terms = await withAdmin(
      environment,
      (client) => client.get<readonly LeaseTermView[]>(`/v1/leases/history?${query}`),
    );
    await printResult(io.stdout, output, {
      value: terms,
      table: {
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
      },
    });
  },
});
