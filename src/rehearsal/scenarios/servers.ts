import { delay, poll } from "../../lib/wait.ts";
import type { LocalServer } from "../cluster.ts";
import { signalProcess } from "../faults/processes.ts";
import { formatMs, noted, type PromiseRow, withinMs } from "../promises.ts";
import type { Scenario, Stage } from "../stage.ts";
import { whoLedRow } from "./leader.ts";

/** A worker that died has its replacement after so long. */
const replacedBoundMs = 10_000;
/** A server that is told to stop has finished what it had after so long. */
const stoppedBoundMs = 10_000;
/** After a clean stop, somebody else leads after so long. */
const cleanHandOverMs = 1_000;
/** One kill for each such stretch of load, each of another server in turn. */
const killEveryMs = 6_000;

export const serverKilled: Scenario = {
  name: "server-killed",
  summary: "One server after another is killed (SIGKILL) and started again",
  jobs: 10,
  withKeys: true,
  async rehearse(stage) {
    const { servers } = stage.cluster;
    const { durationMs } = stage.dose;
    const rounds = Math.max(1, Math.floor(durationMs / killEveryMs));
    // Half of the load's time is before the first one and after the last.
    const everyMs = durationMs / 2 / rounds;
    const backMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const server = servers[round % servers.length]!;
      const next = delay(everyMs);
      const fault = await stage.kill(server);
      await stage.revive(server, fault);
      backMs.push(fault.untilMs! - fault.atMs);
      await next;
    }
    return [
      noted(`Servers killed: ${rounds}; whole again after`, formatMs(Math.max(...backMs))),
    ];
  },
};

export const serverStopped: Scenario = {
  name: "server-stopped",
  summary: "The server that leads is stopped in order (SIGTERM) and started again",
  jobs: 10,
  withKeys: true,
  async rehearse(stage) {
    const { server, epoch } = await stage.cluster.leader();
    const { next, tookMs, fault } = await stopInOrder(stage, server, epoch);
    await stage.revive(server, fault);
    return [
      whoLedRow(server, next),
      withinMs("It stops within", tookMs, stoppedBoundMs),
      handOverRow(await handOverMs(stage, epoch)),
    ];
  },
};

/** Stops a server as an operator does. */
export async function stopInOrder(stage: Stage, server: LocalServer, epoch: number) {
  const { cluster } = stage;
  cluster.setAway(server, true);
  const fault = stage.begin(`${server.name} is stopped`);
  const next = cluster.nextLeader(epoch);
  await cluster.stop(server.name);
  return { fault, tookMs: performance.now() - fault.atMs, next: await next };
}

/** From the end of the leader's term to the beginning of the next, by the ODB's own clock. */
export async function handOverMs({ cluster }: Stage, epoch: number): Promise<number | undefined> {
  const terms = await cluster.schedulerTerms();
  const ended = terms.find((term) => term.epoch === epoch)?.endedAt;
  const began = terms.find((term) => term.epoch === epoch + 1)?.startedAt;
  if (ended === undefined || ended === null || began === undefined) return undefined;
  return Date.parse(began) - Date.parse(ended);
}

export function handOverRow(tookMs: number | undefined): PromiseRow {
  return withinMs("After a clean stop, nobody leads for", tookMs, cleanHandOverMs);
}

export const workerKilled: Scenario = {
  name: "worker-killed",
  summary: "One worker process of a server is killed (SIGKILL)",
  jobs: 10,
  withKeys: true,
  async rehearse(stage) {
    const { cluster } = stage;
    const server = cluster.servers[0]!;
    const worker = (await cluster.status(server)).workers[0]!;
    const fault = stage.begin(`A worker of ${server.name} is killed`, { costsMs: 250 });
    signalProcess(worker.pid, "SIGKILL");
    const replaced = await poll(async () => {
      const { workers } = await cluster.status(server);
      const successor = workers.find(({ id }) => id === worker.id);
      return (successor?.state === "up" && successor.pid !== worker.pid) || undefined;
    }, { timeoutMs: 30_000 });
    const tookMs = replaced === true ? performance.now() - fault.atMs : undefined;
    await cluster.recovered();
    stage.end(fault, `${server.name} has a new worker`);
    return [withinMs("The worker is replaced within", tookMs, replacedBoundMs)];
  },
};
