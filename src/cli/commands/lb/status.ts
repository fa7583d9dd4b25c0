import type { BalancedServer, BalancerStatus, PeerStatus } from "../../../load-balancer/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { printResult, renderFields, renderTable } from "../../output.ts";

const columns = [
  ...["server", "address", "state", "since", "weight", "sessions", "rate/s", "requests", "errors"],
  "reason",
];

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
      ["Algorithm", status.algorithm],
      ["Configuration", describeRevision(status)],
      ...status.peers.map((peer) => ["Other balancer", describePeer(peer)] as const),
    ]);
    const servers = renderTable({
      columns,
      rows: status.servers.map((server) => [
        server.name,
        server.address,
        server.state,
        server.since,
        describeWeight(server),
        server.sessionsCurrent,
        server.requestRate,
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

function describeRevision({ revision, finishing }: BalancerStatus): string {
  const which = revision === 0 ? "as in config.yaml" : `revision ${revision}`;
  if (finishing === 0) return which;
  return `${which}; ${finishing} ${
    finishing === 1 ? "process" : "processes"
  } from before a reload ` +
    "still finish requests";
}

function describePeer({ url, state, revision, reason }: PeerStatus): string {
  if (state === "in step") return `${url}, in step`;
  return `${url}, ${state}${revision === null ? "" : ` at revision ${revision}`}: ${reason}`;
}

/** Both where they differ: what its health, or its draining, leaves of what was asked for. */
function describeWeight({ weight, weightWanted }: BalancedServer): string | number {
  return weight === weightWanted ? weight : `${weight} of ${weightWanted}`;
}
