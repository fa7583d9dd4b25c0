import type { ServiceView } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "service list",
  summary: "List the services of the cluster and what exposes them",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman service list --env ./demo"],
  async run({ env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const services = await withAdmin(
      environment,
      (client) => client.get<readonly ServiceView[]>("/v1/services"),
    );
    await printResult(io.stdout, output, {
      value: services,
      table: {
        columns: ["name", "file", "used by", "description"],
        rows: services.map(({ name, file, usedBy, description }) => [
          name,
          file,
          usedBy.map((user) => `${user.kind} ${user.name}`).join(", ") || "-",
          description,
        ]),
        empty: "There are no services yet; deploy a file with dragoman deploy FILE",
      },
    });
  },
});
