import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { printResult, renderFields, renderTable } from "../../output.ts";

export const command = defineCommand({
  path: "lb status",
  summary: "Show the load balancer and the servers behind it",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman lb status --env ./demo", "dragoman lb status -o json"],
  async run({ env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const status = await withAgent(environment, (client) => client.status());
    const fields = renderFields([
      ["Balancer", status.name],
      ["Url", status.url],
      ["Engine", `${status.engine} ${status.engineVersion}`],
      ["Started", status.startedAt],
      ["Requests", status.requestsTotal],
      ["Sessions", status.sessionsCurrent],
    ]);
    const servers = renderTable({
      columns: ["server", "address", "state", "since", "requests", "errors", "reason"],
      rows: status.servers.map((server) => [
        server.name,
        server.address,
        server.state,
        server.since,
        server.requestsTotal,
        server.errorsTotal,
        server.reason || "-",
      ]),
      empty: "No server has registered yet",
    }, { colour: false });
    await printResult(io.stdout, output, {
      value: status,
      table: `${fields}\n\n${servers}`.trimEnd(),
    });
  },
});
