import type { OdbLink } from "../../../cluster/odb-link.ts";
import { isPlatformError, reasonOf } from "../../../errors/platform-error.ts";
import { withTimeout } from "../../../lib/wait.ts";
import type { ClaimedRun, RunOutcome, RunSettlement } from "../../../odb/job-types.ts";
import type { LeaseHolder } from "../../../odb/lease-types.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import { ClaimLoop, describeFailure, isLoss, keepOutcome } from "../claim-loop.ts";
import { SettleBatch } from "./settle-batch.ts";

export interface JobRunnerOptions {
  readonly link: Pick<OdbLink, "use">;
  readonly holder: LeaseHolder;
  /** Invokes the run's service on a worker and resolves with its output. */
  readonly run: (run: ClaimedRun, signal: AbortSignal) => Promise<unknown>;
  /** Whether there is a worker to run anything. */
  readonly canRun: () => boolean;
  /** Brings the newest deployment and objects to the workers. */
  readonly refresh: () => Promise<void>;
  readonly logger: Logger;
  /** Runs at a time; 0: this server runs none. */
  readonly parallel: number;
  /** How long a claim holds unless it is renewed. Default 10,000. */
  readonly claimMs?: number;
  /** How often the ODB is asked whether there is work, hints or not. Default 1,000. */
  readonly pollMs?: number;
}

const batchMax = 200;
/** So long a server may hold back for less busy ones. */
const yieldMs = 20;
/** Claims are renewed so often because the answer says what is to be cancelled. */
const renewMs = 1_000;
/** For the word that runs were cut off to reach the ODB before the server ends. */
const goodbyeMs = 2_000;
/** Longest pause between two attempts to give a run back. */
const retryMaxMs = 1_000;

/** Why a run is ended before its service is done. */
type AbortReason = "cancelled" | "taken" | "stopped";

/**
 * Runs the cluster's jobs on this server, whoever planned them: each planned time is claimed by
 * one server. Runs that are to be cancelled, or that others have taken for lost, are aborted.
 */
export class JobRunner {
  readonly #options: Required<JobRunnerOptions>;
  readonly #loop: ClaimLoop<ClaimedRun>;
  readonly #batch: SettleBatch;
  readonly #aborts = new Map<string, (reason: AbortReason) => void>();
  /** Runs that began here, and whose outcome the ODB refused: they are as good as lost. */
  readonly #refused = new Set<string>();

  constructor(options: JobRunnerOptions) {
    this.#options = { claimMs: 10_000, pollMs: 1_000, ...options };
    const { link, logger, parallel, pollMs, canRun } = this.#options;
    this.#batch = new SettleBatch({ link, logger });
    this.#loop = new ClaimLoop({
      source: {
        what: "runs of jobs",
        dueInMs: () => link.use((store) => store.runDueInMs()),
        claim: (countMax) => this.#claim(countMax),
        run: (run) => this.#run(run),
        renew: (runs) => this.#renew(runs),
        giveBack: (runs, ended) => this.#giveBack(runs, ended),
        giveBackUnknown: (runs) => this.#giveBackUnknown(runs),
      },
      logger,
      parallel,
      batchMax,
      renewMs,
      pollMs,
      yieldMs,
      canRun,
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Looks for work now. */
  wake(): void {
    this.#loop.wake();
  }

  /** Claims nothing more, and waits for what runs; what is left after `drainMs` is lost. */
  async stop(drainMs: number): Promise<void> {
    await this.#loop.stop(drainMs);
  }

  async #claim(countMax: number): Promise<
    { readonly claimed: readonly ClaimedRun[]; readonly dealtWith: number }
  > {
    const { link, holder, claimMs, logger } = this.#options;
    const options = { holder, countMax, claimMs };
    const { claimed, skipped, lost } = await link.use((store) => store.claimRuns(options));
    for (const { id, job, plannedAt, reason } of skipped) {
      logger.warn("Run of a job skipped", { job, plannedAt, run: id, reason });
    }
    for (const { id, job, plannedAt, server, reason } of lost) {
      logger.error("Run of a job was lost", { job, plannedAt, run: id, lostBy: server, reason });
    }
    return { claimed, dealtWith: claimed.length + skipped.length + lost.length };
  }

  async #run(run: ClaimedRun): Promise<() => Promise<void>> {
    const outcome = await this.#outcomeOf(run);
    return outcome === undefined ? () => this.#release(run) : () => this.#settle(run, outcome);
  }

  async #settle(run: ClaimedRun, outcome: RunOutcome): Promise<void> {
    const settled = await this.#batch.settle(run, outcome);
    if (settled === undefined) this.#refused.add(run.id);
    else this.#report(run, outcome, settled);
  }

  /** Undefined when it did not begin. */
  async #outcomeOf(run: ClaimedRun): Promise<RunOutcome | undefined> {
    const abort = new AbortController();
    let reason: AbortReason | undefined;
    this.#aborts.set(run.id, (why) => {
      reason ??= why;
      abort.abort();
    });
    try {
      return { ok: true, output: await this.#invoke(run, abort.signal) };
    } catch (error) {
      if (isPlatformError(error, "SERVER_NO_WORKER")) return undefined;
      if (reason === "stopped") {
        return { ok: false, isLost: true, error: "Its server stopped before it ended" };
      }
      return { ok: false, isLost: isLoss(error), error: describeFailure(error) };
    } finally {
      this.#aborts.delete(run.id);
    }
  }

  async #invoke(run: ClaimedRun, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#options.run(run, signal);
    } catch (error) {
      if (!isPlatformError(error, "SERVICE_UNKNOWN")) throw error;
      // The job may be newer than what the workers run.
      await this.#options.refresh();
      return await this.#options.run(run, signal);
    }
  }

  async #release(run: ClaimedRun): Promise<void> {
    const { link, logger } = this.#options;
    await keepOutcome(() => link.use((store) => store.releaseRuns([run])), {
      retryMaxMs,
      onRefused: (error) => logger.error("A run cannot be given back", { run: run.id, error }),
    });
  }

  /** None of those has begun: this life of the server would know of it. */
  async #giveBackUnknown(inHand: readonly ClaimedRun[]): Promise<void> {
    const { link, holder, logger } = this.#options;
    const known = new Set(inHand.map(({ id }) => id)).union(this.#refused);
    const claims = await link.use((store) => store.listClaims(holder));
    const unknown = claims.filter(({ id }) => !known.has(id));
    if (unknown.length === 0) return;
    await link.use((store) => store.releaseRuns(unknown));
    logger.warn("Runs of jobs given back: word that they were claimed was lost", {
      count: unknown.length,
    });
  }

  async #renew(runs: readonly ClaimedRun[]): Promise<void> {
    const { link, claimMs } = this.#options;
    const { taken, cancelled } = await link.use((store) => store.renewRuns(runs, claimMs));
    for (const id of taken) this.#aborts.get(id)?.("taken");
    for (const id of cancelled) this.#aborts.get(id)?.("cancelled");
  }

  async #giveBack(runs: readonly ClaimedRun[], ended: Promise<void>): Promise<void> {
    this.#options.logger.warn("Stopping with runs of jobs cut off", { count: runs.length });
    for (const { id } of runs) this.#aborts.get(id)?.("stopped");
    const late = () => new Error("The ODB did not take it in time");
    // Their claims run out by themselves then.
    await withTimeout(ended, goodbyeMs, late).catch((error) => {
      this.#options.logger.debug("Runs could not be given up", { reason: reasonOf(error) });
    });
  }

  #report(run: ClaimedRun, outcome: RunOutcome, settled: RunSettlement): void {
    const { id, job, plannedAt, service, attempt, attemptsMax } = run;
    const { logger } = this.#options;
    const about = { job, plannedAt, run: id, cid: id, service, attempt, attemptsMax };
    const reason = outcome.ok ? {} : { reason: outcome.error };
    switch (settled) {
      case "ok":
        return logger.debug("Run of a job done", about);
      case "retried":
        return logger.warn("Run of a job failed and will be tried again", { ...about, ...reason });
      case "failed":
        return logger.error("Run of a job failed", { ...about, ...reason });
      case "taken":
        return logger.warn("Run of a job ended too late: it counts as lost", about);
    }
  }
}
