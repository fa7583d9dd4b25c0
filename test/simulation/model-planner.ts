import type { ModelServer } from "./model-server.ts";
import { planReally } from "./real-planner.ts";
import { modelJobs, type ModelPlan, type ModelProgress, planTimes } from "./workload.ts";

const horizonMs = 4_000;
const planMs = 1_000;
const retryMs = 300;

/** The scheduler of one term: reads the ledger, plans, and writes the plan with its proof. */
export class ModelPlanner {
  readonly #server: ModelServer;
  /** Of the term in which it plans; 0: none. */
  #epoch = 0;

  constructor(server: ModelServer) {
    this.#server = server;
  }

  start(epoch: number): void {
    this.#epoch = epoch;
    this.#plan(epoch);
  }

  stop(): void {
    this.#epoch = 0;
  }

  #plan(epoch: number): void {
    if (epoch !== this.#epoch) return;
    const server = this.#server;
    const { odb, isPlannerReal, breakage } = server.world;
    const again = () => this.#again(epoch, retryMs);
    const readLedger = () => ({
      now: odb.time(),
      progress: modelJobs.map((job) => odb.ledger.progressOf(job)),
    });
    const readJobs = () => odb.revision;
    const write = ({ now, progress }: ReturnType<typeof readLedger>, revision: number) => {
      const plan = isPlannerReal ? planReally : planTimes;
      const known = breakage === "begins-late" ? progress.map(begunNow(revision, now)) : progress;
      this.#write(epoch, plan({ jobs: modelJobs, progress: known, revision, now, horizonMs }));
    };
    if (breakage === "jobs-before-ledger") {
      const next = (revision: number) =>
        server.ask(readLedger, (ledger) => write(ledger, revision), again);
      return server.ask(readJobs, next, again);
    }
    server.ask(
      readLedger,
      (ledger) => server.ask(readJobs, (revision) => write(ledger, revision), again),
      again,
    );
  }

  #write(epoch: number, plans: readonly ModelPlan[]): void {
    const server = this.#server;
    const proof = server.proof("scheduler");
    if (epoch !== this.#epoch || proof === undefined) return;
    const { odb, breakage } = server.world;
    const writeProgress = () => plans.forEach((plan) => odb.ledger.writeProgress(plan));
    const writeRuns = () => plans.forEach((plan) => odb.ledger.writeRuns(plan));
    const ended = (isTaken: boolean) => {
      if (!isTaken) server.world.trace?.(server.name, `is refused to plan with epoch ${epoch}`);
      this.#again(epoch, isTaken ? planMs : retryMs);
    };
    const again = () => this.#again(epoch, retryMs);
    if (breakage === "plans-with-gaps") {
      return server.ask(
        () => odb.fenced(proof, writeProgress),
        () => server.ask(() => odb.fenced(proof, writeRuns), ended, again),
        again,
      );
    }
    const writeCurrent = () => {
      for (const plan of plans) {
        if (!odb.ledger.isCurrent(plan)) continue;
        odb.ledger.writeRuns(plan);
        odb.ledger.writeProgress(plan);
      }
    };
    server.ask(() => odb.fenced(proof, writeCurrent), ended, again);
  }

  #again(epoch: number, ms: number): void {
    if (epoch === this.#epoch) this.#server.after(ms, () => this.#plan(epoch));
  }
}

/** What is known of a job, as if one with another schedule had been planned until now. */
function begunNow(revision: number, now: number) {
  return (progress: ModelProgress | undefined, index: number): ModelProgress | undefined => {
    const isOther = progress?.intervalMs !== modelJobs[index]!.intervalMs(revision);
    return progress && isOther ? { ...progress, plannedUntil: now } : progress;
  };
}
