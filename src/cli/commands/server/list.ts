import type { ServerList } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "server list",
  summary: "List the servers of the cluster as the ODB knows them",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman server list --env ./demo"],
  async run({ env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const list = await withAdmin(environment, (client) => client.get<ServerList>("/v1/servers"));
    await printResult(io.stdout, output, {
      value: list,
      table: {
        columns: ["name", "state", "url", "admin", "version", "revision", "last seen"],
        rows: list.servers.map((server) => [
          server.name,
          server.state,
          server.url,
          server.adminUrl,
          server.version,
          server.revision,
          server.lastSeenAt,
        ]),
      },
    });
  },
});
