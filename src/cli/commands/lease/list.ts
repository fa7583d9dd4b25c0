import type { LeaseView } from "../../../admin-api/api.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "lease list",
  summary: "List what only one server of the cluster may do at a time, and which one does",
  description:
    "held: its server renews it every few seconds; expired: that server did not, and another one " +
    "takes it shortly; free: it was given up. The epoch rises with every change of hands.",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman lease list --env ./demo"],
  async run({ env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const leases = await withAdmin(
      environment,
      (client) => client.get<readonly LeaseView[]>("/v1/leases"),
    );
    await printResult(io.stdout, output, {
      value: leases,
      table: {
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
      },
    });
  },
});
