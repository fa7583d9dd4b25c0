/** A job of the simulated cluster; its times are the multiples of its interval. */
export interface ModelJob {
  readonly name: string;
  /** At each revision of the cluster; 0: paused. */
  readonly intervalMs: (revision: number) => number;
  /** Whether any revision changes it: then some of its times may rightly fall away. */
  readonly changes: boolean;
  readonly overlap: "skip" | "allow";
  readonly missed: "skip" | "all";
  readonly graceMs: number;
  readonly attemptsMax: number;
}

/** The jobs of every schedule. */
export const modelJobs: readonly ModelJob[] = [
  {
    name: "all",
    intervalMs: () => 1_100,
    changes: false,
    overlap: "allow",
    missed: "all",
    graceMs: 2_000,
    attemptsMax: 2,
  },
  {
    name: "one",
    intervalMs: () => 1_700,
    changes: false,
    overlap: "skip",
    missed: "skip",
    graceMs: 3_000,
    attemptsMax: 1,
  },
  {
    name: "changing",
    intervalMs: (revision) => [2_300, 0, 1_900][revision % 3]!,
    changes: true,
    overlap: "skip",
    missed: "skip",
    graceMs: 1_000,
    attemptsMax: 1,
  },
];

/** What the planner keeps of a job. */
export interface ModelProgress {
  /** Names the schedule; NaN: none was planned yet. */
  readonly intervalMs: number;
  /** Up to here, all its times have rows. */
  readonly plannedUntil: number;
  /** No later time is before this one; Infinity: there is none. */
  readonly nextAt: number;
  /**
   * Rises with every plan that is written, and with every change of the job: a plan that was made
   * from an older one comes too late.
   */
  readonly version: number;
}

export interface PlannedTime {
  readonly time: number;
  readonly state: "planned" | "skipped";
}

/** What the planner writes down for one job. */
export interface ModelPlan {
  readonly job: ModelJob;
  /** The configuration that it follows. */
  readonly revision: number;
  /** The times after this one, by the database's clock when the ledger was read. */
  readonly after: number;
  readonly times: readonly PlannedTime[];
  readonly progress: ModelProgress;
  /** Runs later than this that have not begun are dropped first; Infinity: none. */
  readonly dropAfter: number;
}

export interface ModelPlanInput {
  readonly jobs: readonly ModelJob[];
  /** In the order of `jobs`. */
  readonly progress: readonly (ModelProgress | undefined)[];
  /** Of the configuration, read after the progress. */
  readonly revision: number;
  /** By the database's clock. */
  readonly now: number;
  readonly horizonMs: number;
}

/**
 * `plan()` of the scheduler reduced to intervals, in numbers: a job that is new begins now, one
 * that has another schedule with the change; all times up to the horizon get rows.
 */
export function planTimes(input: ModelPlanInput): readonly ModelPlan[] {
  const plans: ModelPlan[] = [];
  for (const [index, job] of input.jobs.entries()) {
    const intervalMs = job.intervalMs(input.revision);
    const before = input.progress[index];
    const isAnew = before === undefined || before.intervalMs !== intervalMs;
    const after = before?.plannedUntil ?? input.now;
    const plannedUntil = input.now + input.horizonMs;
    if (!isAnew && plannedUntil <= after) continue;
    const next = (from: number) => (Math.floor(from / intervalMs) + 1) * intervalMs;
    const times: PlannedTime[] = [];
    const isMissed = (time: number) => job.missed === "skip" && time < input.now - job.graceMs;
    if (intervalMs > 0) {
      for (let time = next(after); time <= plannedUntil; time += intervalMs) {
        times.push({ time, state: isMissed(time) ? "skipped" : "planned" });
      }
    }
    if (!isAnew && times.length === 0) continue;
    const nextAt = intervalMs > 0 ? next(plannedUntil) : Infinity;
    plans.push({
      job,
      revision: input.revision,
      after,
      times,
      progress: { intervalMs, plannedUntil, nextAt, version: (before?.version ?? 0) + 1 },
      dropAfter: !isAnew ? Infinity : intervalMs > 0 ? input.now : -Infinity,
    });
  }
  return plans;
}
