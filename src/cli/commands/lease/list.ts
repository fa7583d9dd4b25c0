import type { LeaseView } from "../../../admin-api/api.ts";
import { printList } from "../../cluster/print-list.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";

export const command = defineCommand({
  path: "lease list",
  summary: "List what only one server of the cluster may do at a time, and which one does",
  description:
    "held: its server renews it every few seconds; expired: that server did not, and another one " +
    "takes it shortly; free: it was given up. The epoch rises with every change of hands.",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman lease list --env ./demo"],
  async run(input, io) {
    await printList<LeaseView>(input, io, {
      path: "/v1/leases",
      table: (leases) => ({
        columns: ["lease", "state", "server", "epoch", "since", "expires in"],
        rows: leases.map(({ name, state, server, epoch, acquiredAt, expiresInMs }) => [
          name,
          state,
          state === "held" ? server : `- (last ${server})`,
          epoch,
          acquiredAt,
          state === "held" ? `${expiresInMs} ms` : "-",
        ]),
        empty: "Nobody has held a lease so far",
      }),
    });
  },
});
