import { resolve } from "node:path";
import { PlatformError } from "../../../errors/platform-error.ts";
import { requireUsableSchema } from "../../checks/server-odb.ts";
import { type Environment, loadEnvironment, loadEnvironmentAt } from "../../cluster/environment.ts";
import { withRestartableCluster } from "../../cluster/restartable-cluster.ts";
import { rollingRestart, type RollingResult } from "../../cluster/rolling-restart.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import type { CommandIo } from "../../io.ts";
import { loadComponents } from "../../lifecycle/component.ts";
import { stopSet } from "../../lifecycle/component-set.ts";
import { printProgress } from "../../lifecycle/progress.ts";
import { printResult } from "../../output.ts";
import { startAll } from "../../quickstart/start-all.ts";

const path = "restart";

export const command = defineCommand({
  path,
  summary: "Stop and start a component or an environment, or restart a cluster's servers in turn",
  description: "With --rolling, all servers of the cluster, wherever they run, are restarted one " +
    "after the other: each leaves the balancer, finishes requests, invocations and runs of jobs, " +
    "and starts anew with the code that is installed by then, so that this is how a cluster is " +
    "upgraded. The next one's turn comes when it is up at the newest revision and gets traffic " +
    "again. Stops with exit code 1 when a server does not come back, or when more requests fail " +
    "than before.",
  arguments: {
    directory: { summary: "A component's or an environment's directory", optional: true },
  },
  options: {
    rolling: { type: "flag", summary: "Restart the cluster's servers in turn, losing no request" },
    limit: {
      type: "integer",
      value: "SECONDS",
      min: 1,
      max: 3_600,
      default: 120,
      summary: "With --rolling: how long one server may take",
    },
    errorRate: {
      type: "integer",
      value: "PERCENT",
      min: 0,
      max: 100,
      default: 1,
      summary: "With --rolling: by how much the part of requests that fail may rise",
    },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman restart ./demo/server1",
    "dragoman restart --rolling --env ./demo",
  ],
  async run({ directory, rolling, limit, errorRate, env, output }, io) {
    if (!rolling) return await restartHere(directory, io);
    const environment = directory === undefined
      ? await loadEnvironment({ env }, io)
      : await loadEnvironmentAt(resolve(io.cwd, directory));
    await requireUsableSchema(environment.directory);
    const result = await restartInTurn(environment, io, {
      limitMs: limit * 1_000,
      errorBound: errorRate / 100,
    });
    await printResult(io.stdout, output, { value: result, table: describe(result) });
  },
});

async function restartHere(directory: string | undefined, io: CommandIo): Promise<void> {
  if (directory === undefined) {
    const reason = "Name a directory, or all servers of a cluster with --rolling";
    throw new PlatformError("CLI_USAGE", { reason, command: path });
  }
  const set = await loadComponents(resolve(io.cwd, directory));
  await stopSet(set, printProgress(io));
  await startAll(set, { progress: printProgress(io), env: io.env });
}

function restartInTurn(
  environment: Environment,
  io: CommandIo,
  limits: { readonly limitMs: number; readonly errorBound: number },
): Promise<RollingResult> {
  const progress = (line: string) => io.stderr.write(`${line}\n`);
  return withRestartableCluster(
    environment,
    (cluster) => rollingRestart(cluster, { ...limits, progress }),
  );
}

function describe({ servers, requests, errors }: RollingResult): string {
  const names = servers.map(({ name }) => name).join(", ");
  const traffic = requests === 0
    ? "no request came meanwhile"
    : `${errors} of ${requests} requests failed meanwhile`;
  return `Restarted ${names}; ${traffic}`;
}
