import { formatMs, none, noted, type PromiseRow } from "../promises.ts";
import type { Scenario } from "../stage.ts";

export const rollingRestart: Scenario = {
  name: "rolling-restart",
  summary: "All servers are restarted in turn by dragoman restart --rolling",
  jobs: 10,
  withKeys: true,
  async rehearse(stage): Promise<readonly PromiseRow[]> {
    const { cluster } = stage;
    const pids = () =>
      Promise.all(cluster.servers.map(async (server) => (await cluster.status(server)).pid));
    const before = await pids();
    const fault = stage.begin("A rolling restart begins");
    await cluster.command(["restart", cluster.directory, "--rolling"]);
    await cluster.recovered();
    stage.end(fault, "Every server has been restarted");
    const after = await pids();
    const same = cluster.servers.filter((_, index) => before[index] === after[index]);
    return [
      none("Servers that still run as the same process", same.map(({ name }) => name)),
      noted(
        `Restarting ${cluster.servers.length} servers took`,
        formatMs(fault.untilMs! - fault.atMs),
      ),
    ];
  },
};
