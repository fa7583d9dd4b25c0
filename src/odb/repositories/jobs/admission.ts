import type { OverlapPolicy } from "../../job-types.ts";
import type { JobState } from "./job-states.ts";
import type { StoredTerms } from "./rows.ts";

/** Runs of one job that may wait for their turn at a time. */
const waitingMax = 1_000;

/** A run whose time has come. */
export interface DueRun {
  readonly id: string;
  readonly job: string;
  readonly plannedAt: string;
  readonly dueAt: string;
  readonly wakeAt: string;
  readonly trigger: string;
  /** Whether it was looked at in time, and waited for its turn since. */
  readonly hasWaited: boolean;
  /** Whether it, or an earlier attempt of it, was claimed before: its job may be gone since. */
  readonly isAgain: boolean;
  readonly terms: StoredTerms;
}

/** The run that is the only one of its job for now. */
export interface Occupant {
  readonly id: string;
  readonly server: string;
  readonly plannedAt: string;
  /** Whether it cannot end before this transaction does. */
  readonly isLocked: boolean;
}

/** What is known of the jobs of due runs when it is decided about them. */
export interface JobFacts {
  readonly now: string;
  readonly server: string;
  /** By job. */
  readonly occupants: ReadonlyMap<string, Occupant>;
  /** By job: when the first of its runs is due, whoever is taking it. */
  readonly firstWakes: ReadonlyMap<string, string>;
  /** By job: the latest of its planned times that is due or has begun. */
  readonly latestTimes: ReadonlyMap<string, string>;
  /** Of jobs with runs that are taken again; without those that somebody is changing. */
  readonly states: ReadonlyMap<string, JobState>;
  /** By job: the runs that wait for their turn. */
  readonly waiting: ReadonlyMap<
    string,
    readonly { readonly id: string; readonly overlap: string }[]
  >;
}

/** What becomes of due runs; those that are in none of the lists stay as they are. */
export interface Admission {
  readonly claims: readonly DueRun[];
  readonly skips: readonly RunReason[];
  readonly waits: readonly RunReason[];
  /** Runs that are to be ended before their time. */
  readonly cancels: readonly Omit<RunReason, "job">[];
}

export interface RunReason {
  readonly id: string;
  readonly job: string;
  readonly reason: string;
}

/** A run that begins later than its grace allows; one that waited for its turn came in time. */
export function isMissed({ dueAt, trigger, hasWaited, terms }: DueRun, now: string): boolean {
  if (trigger !== "schedule" || hasWaited) return false;
  return Date.parse(now) - Date.parse(dueAt) > terms.graceMs;
}

/** Which policy counts: missed times that are all to be run wait for one another. */
export function overlapOf(run: DueRun, now: string): OverlapPolicy {
  const { overlap, missed } = run.terms;
  if (overlap === "allow") return "allow";
  if (missed === "all" && isMissed(run, now)) return "queue";
  return overlap === "skip" && run.hasWaited ? "queue" : overlap;
}

/** Decides about due runs, which come in the order in which they are due, by their terms. */
export function admit(runs: readonly DueRun[], facts: JobFacts): Admission {
  const decision = new Decision(facts);
  for (const [job, ofJob] of Map.groupBy(runs, (run) => run.job)) decision.decide(job, ofJob);
  return decision;
}

class Decision implements Admission {
  readonly claims: DueRun[] = [];
  readonly skips: RunReason[] = [];
  readonly waits: RunReason[] = [];
  readonly cancels: Omit<RunReason, "job">[] = [];
  readonly #facts: JobFacts;

  constructor(facts: JobFacts) {
    this.#facts = facts;
  }

  decide(job: string, runs: readonly DueRun[]): void {
    const wanted = runs.filter((run) => this.#mayBegin(run) && !this.#isSkippedAsMissed(run));
    const exclusive: DueRun[] = [];
    for (const run of wanted) {
      if (run.terms.overlap === "allow") this.claims.push(run);
      else exclusive.push(run);
    }
    if (exclusive.length > 0) this.#decideInTurn(job, exclusive, runs[0]!.wakeAt);
  }

  /** What its job allows for now. What was never taken, changes of the job withdraw themselves. */
  #mayBegin(run: DueRun): boolean {
    if (!run.isAgain) return true;
    const state = this.#facts.states.get(run.job);
    // It stays as it is until it is known what becomes of its job.
    if (state === undefined) return false;
    const reason = run.trigger === "manual" ? state.goneReason : state.stopReason;
    if (reason !== undefined) this.#skip(run, reason);
    return reason === undefined;
  }

  #isSkippedAsMissed(run: DueRun): boolean {
    const { now, latestTimes } = this.#facts;
    const { missed, graceMs } = run.terms;
    if (missed === "all" || !isMissed(run, now)) return false;
    const lateMs = Date.parse(now) - Date.parse(run.dueAt);
    if (missed === "skip") {
      const late = `${lateMs} ms late, and ${graceMs} ms are allowed`;
      this.#skip(run, `Missed: no server could begin it in time; it was ${late}`);
      return true;
    }
    const latest = latestTimes.get(run.job);
    if (latest === undefined || latest <= run.plannedAt) return false;
    this.#skip(run, `Missed by ${lateMs} ms: the later time ${latest} stands for it`);
    return true;
  }

  /** Of these runs, one at most may run, and none while another one of the job does. */
  #decideInTurn(job: string, runs: readonly DueRun[], firstWake: string): void {
    const { occupants, firstWakes, server } = this.#facts;
    const first = firstWakes.get(job);
    // Somebody is just taking an earlier one.
    if (first !== undefined && first < firstWake) return;
    let occupant = occupants.get(job);
    let rest = runs;
    if (occupant === undefined) {
      // The newest is the one that cancels all the others.
      const chosen = this.#replaces(runs[0]!)
        ? runs.findLast((run) => this.#replaces(run))!
        : runs[0]!;
      this.claims.push(chosen);
      rest = runs.filter((run) => run !== chosen);
      occupant = { id: chosen.id, server, plannedAt: chosen.plannedAt, isLocked: true };
    }
    this.#holdBack(job, rest, occupant);
  }

  #replaces(run: DueRun): boolean {
    return overlapOf(run, this.#facts.now) === "cancel";
  }

  #holdBack(job: string, runs: readonly DueRun[], occupant: Occupant): void {
    const { now, waiting } = this.#facts;
    const { plannedAt, server } = occupant;
    const whom = `the run of ${plannedAt} on server "${server}"`;
    let count = waiting.get(job)?.length ?? 0;
    const newest = runs.findLast((run) => this.#replaces(run));
    for (const run of runs) {
      const overlap = overlapOf(run, now);
      if (overlap === "skip") this.#skip(run, `Overlap: ${whom} (${occupant.id}) had not ended`);
      // Not before it is sure that its end will be noticed.
      else if (!occupant.isLocked) continue;
      else if (overlap === "cancel" && (run !== newest || run.plannedAt < plannedAt)) {
        this.#skip(run, "Overlap: a later time took its place");
      } else if (overlap === "queue" && count >= waitingMax) {
        this.#skip(run, `Overlap: ${count} runs of the job wait for their turn already`);
      } else {
        count += 1;
        if (overlap === "cancel") this.#supersede(job, run, occupant);
        this.waits.push({ id: run.id, job, reason: `Waits for the end of ${whom}` });
      }
    }
  }

  /** Ends the run that runs, and those that were to replace it before. */
  #supersede(job: string, run: DueRun, occupant: Occupant): void {
    const reason = `Overlap: cancelled in favour of the run of ${run.plannedAt}`;
    this.cancels.push({ id: occupant.id, reason });
    for (const { id, overlap } of this.#facts.waiting.get(job) ?? []) {
      if (overlap === "cancel") {
        this.skips.push({ id, job, reason: "Overlap: a later time took its place" });
      }
    }
  }

  #skip({ id, job }: DueRun, reason: string): void {
    this.skips.push({ id, job, reason });
  }
}
