import type { LeaseHolder, LeaseProof } from "./lease-types.ts";

/**
 * `planned` -> `running` -> `ok`, `failed` or `lost` (its server went away in the middle); or
 * `planned` -> `skipped`, and the reason says why.
 */
export const runStates = ["planned", "running", "ok", "failed", "skipped", "lost"] as const;
export type RunState = (typeof runStates)[number];

/** Why a run exists: its schedule, an operator, or an earlier run that failed or was lost. */
export const runTriggers = ["schedule", "manual", "retry"] as const;
export type RunTrigger = (typeof runTriggers)[number];

/** What happens when a run is due while an earlier one of the same job still runs. */
export const overlapPolicies = ["skip", "queue", "allow", "cancel"] as const;
export type OverlapPolicy = (typeof overlapPolicies)[number];

/** What happens to planned times that nobody could run when they came. */
export const missedPolicies = ["skip", "once", "all"] as const;
export type MissedPolicy = (typeof missedPolicies)[number];

/** What a run needs to know of its job, so that whoever claims it decides without asking. */
export interface RunTerms {
  readonly service: string;
  /** Plain JSON. */
  readonly input: unknown;
  readonly overlap: OverlapPolicy;
  readonly missed: MissedPolicy;
  /** A run that is claimed later than this after its time was missed. */
  readonly graceMs: number;
  readonly timeoutMs: number;
  /** Attempts in all, 1 and more. */
  readonly attemptsMax: number;
  /** Wait before the second attempt; doubled for each further one, up to an hour. */
  readonly retryMs: number;
  /** Whether a run that was lost with its server counts as failed, and so is tried again. */
  readonly retryLost: boolean;
}

/** A planned time of a job. There is one row for each (job, plannedAt, attempt), ever. */
export interface NewRun {
  readonly job: string;
  /** ISO 8601 with milliseconds: the time that the schedule says. */
  readonly plannedAt: string;
  /** The same with jitter: when it may begin. */
  readonly dueAt: string;
  /** `skipped` for times that are only written down. */
  readonly state: "planned" | "skipped";
  /** For `skipped`: one sentence. */
  readonly reason?: string;
  readonly terms: RunTerms;
}

/** What is known of a job beside its definition; survives every server. */
export interface JobProgress {
  readonly job: string;
  /** Of the schedule that the fields below belong to; a job with another one begins anew. */
  readonly scheduleHash: string;
  /** Up to this time, all times of the schedule have rows. */
  readonly plannedUntil: string;
  /** How many times of this schedule were planned, skipped ones as well. */
  readonly plannedCount: number;
  /**
   * No time after `plannedUntil` is before this one; null when there is none any more, or the job is
   * not active. Whoever turns `plannedUntil` back, such as a change of the job, sets it to the same
   * time; a pause and its end leave null as it is unless a run was dropped.
   */
  readonly nextAt: string | null;
  /**
   * Rises when the job changes, is paused and resumed, and with every plan that is written. Progress that
   * carries the version of the row it was made from is not written, nor are its runs, when that
   * has happened since.
   */
  readonly version?: number | undefined;
}

export interface JobRow extends JobProgress {
  readonly paused: boolean;
  readonly pausedBy: string | null;
  readonly pausedAt: string | null;
}

/** What the planner writes down in one transaction. */
export interface Plan {
  readonly runs: readonly NewRun[];
  readonly progress: readonly JobProgress[];
  /** Runs of the schedule that have not begun, dropped first. */
  readonly dropPlanned: readonly DroppedRuns[];
}

export interface DroppedRuns {
  readonly job: string;
  /**
   * Only those planned for a later time than this: the job has another schedule, service or input
   * from now on, and what was due stays. Null: all of them, because it is gone, paused or inactive.
   */
  readonly after: string | null;
}

export interface RunClaim {
  readonly id: string;
  readonly epoch: number;
}

export interface ClaimedRun extends RunClaim, Pick<RunTerms, "service" | "input" | "timeoutMs"> {
  readonly job: string;
  readonly plannedAt: string;
  readonly trigger: RunTrigger;
  readonly attempt: number;
  readonly attemptsMax: number;
}

export type RunOutcome =
  | { readonly ok: true; readonly output: unknown }
  | {
    readonly ok: false;
    readonly error: string;
    /** The process that ran it went away: the run is `lost`, and `retryLost` decides. */
    readonly isLost?: boolean;
  };

/** `taken`: its claim was over, and the run is `lost` or another server's by now. */
export type RunSettlement = "ok" | "failed" | "retried" | "taken";

export interface RunRow {
  readonly id: string;
  readonly job: string;
  readonly plannedAt: string;
  readonly dueAt: string;
  readonly trigger: RunTrigger;
  readonly state: RunState;
  /** Why it was skipped, failed or lost; for a planned one that is due, what it waits for. */
  readonly reason: string | null;
  readonly attempt: number;
  readonly server: string | null;
  readonly epoch: number;
  /** The epoch of the scheduler that planned it; 0 for manual runs. */
  readonly plannerEpoch: number;
  readonly cid: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  /** Who asked for it, for manual runs. */
  readonly requestedBy: string | null;
}

export interface RunDetail extends RunRow {
  readonly service: string;
  readonly input: unknown;
  /** Absent before the end, and when it was too long to be kept. */
  readonly output?: unknown;
  readonly outputLength: number | null;
}

export interface RunQuery {
  readonly job?: string | undefined;
  readonly state?: RunState | undefined;
  /** Leaves out those that are still planned. */
  readonly hasBegun?: boolean | undefined;
  /** Default 100, at most 1,000. */
  readonly limit?: number | undefined;
}

/** The ledger of the scheduler; all by database time. */
export interface JobStore {
  /** The database's clock, ISO 8601 with milliseconds. */
  databaseTime(): Promise<string>;
  listJobRows(): Promise<readonly JobRow[]>;
  /**
   * Writes a plan down, all or nothing, if the lease is still held. Rows that are there already
   * stay as they are; of jobs that are paused by now, nothing is written. Returns how many rows
   * were new. Throws LEASE_LOST.
   */
  writePlan(proof: LeaseProof, plan: Plan): Promise<number>;
  /** A run that an operator asks for, due now; resolves to its id. */
  createRun(
    run: { readonly job: string; readonly terms: RunTerms; readonly by: string },
  ): Promise<string>;
  /** How long until the first one may be claimed, 0 when one may now; undefined when none waits. */
  runDueInMs(): Promise<number | undefined>;
  /**
   * Takes runs whose time has come, and decides by their terms about those that were missed or
   * would overlap: `skipped` tells which. Runs whose claim is over become `lost`. All three can be
   * empty although runs are due: others are in the middle of taking them. What is tried again, or
   * was given back, is skipped when its job has been deleted, paused or made inactive since; of
   * deleted jobs alone when an operator asked for it.
   */
  claimRuns(options: {
    readonly holder: LeaseHolder;
    readonly countMax: number;
    readonly claimMs: number;
  }): Promise<{
    readonly claimed: readonly ClaimedRun[];
    readonly skipped: readonly RunRow[];
    readonly lost: readonly RunRow[];
  }>;
  /** What this life of a server has claimed and not settled or released. */
  listClaims(holder: LeaseHolder): Promise<readonly RunClaim[]>;
  /** Prolongs claims; returns those that are over, and those that are to be cancelled. */
  renewRuns(
    claims: readonly RunClaim[],
    claimMs: number,
  ): Promise<{ readonly taken: readonly string[]; readonly cancelled: readonly string[] }>;
  /**
   * Gives back runs that have not begun: others may take them at once. They do not count as missed,
   * and those that were to be cancelled are skipped.
   */
  releaseRuns(claims: readonly RunClaim[]): Promise<void>;
  /** Writes outcomes down in one transaction, unless a claim is over. In order. */
  settleRuns(
    outcomes: readonly { readonly claim: RunClaim; readonly outcome: RunOutcome }[],
  ): Promise<readonly RunSettlement[]>;
  /**
   * Drops what is planned and has not begun, but for manual runs; what runs goes on. The times of a
   * pause are not missed.
   */
  pauseJob(job: string, by: string): Promise<void>;
  /** From now on it is planned again. */
  resumeJob(job: string): Promise<void>;
  /**
   * Asks whoever runs it to end it, or skips it when it has not begun; it is not tried again. False
   * when it is over. Throws RUN_UNKNOWN.
   */
  cancelRun(id: string, by: string): Promise<boolean>;
  /** Newest first. */
  listRuns(query: RunQuery): Promise<readonly RunRow[]>;
  /** Of each of these jobs the latest run that is more than planned; at most 1,000 jobs a call. */
  lastRuns(jobs: readonly string[]): Promise<readonly RunRow[]>;
  /** Those of these jobs of which a run is planned or running. */
  openJobs(jobs: readonly string[]): Promise<readonly string[]>;
  /** Throws RUN_UNKNOWN. */
  getRun(id: string): Promise<RunDetail>;
  /** Deletes what ended longer ago than this; at most 1,000 rows a call; returns how many. */
  pruneRuns(keepMs: number): Promise<number>;
}
