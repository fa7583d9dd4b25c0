import type { Breakage } from "./breakages.ts";
import type { Checker } from "./checker.ts";
import { type ModelJob, modelJobs, type ModelPlan, type ModelProgress } from "./workload.ts";

type ModelRunState = "planned" | "running" | "ok" | "skipped" | "lost";

export interface ModelRun {
  readonly job: ModelJob;
  readonly time: number;
  readonly attempt: number;
  /** Of the configuration that it was planned by. */
  readonly revision: number;
  state: ModelRunState;
  epoch: number;
  claimUntil: number;
}

/** What a claim returns: a copy, as over a wire. */
export interface ModelClaim {
  readonly job: ModelJob;
  readonly time: number;
  readonly attempt: number;
  readonly epoch: number;
}

interface JobBook {
  readonly job: ModelJob;
  progress: ModelProgress | undefined;
  /** When its present schedule began: earlier times are nobody's. */
  begunAt: number;
  /** Of the configuration that changed it last, and until when times of older ones may begin. */
  revision: number;
  changedAt: number;
  readonly runs: Map<number, ModelRun>;
  /** Those that are neither over nor dropped. */
  open: ModelRun[];
}

const neverPlanned = { intervalMs: NaN, plannedUntil: 0, nextAt: Infinity, version: 0 };

/** The scheduler's ledger reduced to what claims and plans decide by. */
export class ModelLedger {
  readonly #books: readonly JobBook[];
  readonly #clock: () => number;
  readonly #checker: Checker;
  readonly #breakage: Breakage | undefined;
  /** Runs that came to an end, for statistics. */
  ended = 0;

  constructor({ clock, checker, breakage }: {
    readonly clock: () => number;
    readonly checker: Checker;
    readonly breakage: Breakage | undefined;
  }) {
    this.#clock = clock;
    this.#checker = checker;
    this.#breakage = breakage;
    this.#books = modelJobs.map((job) => {
      return {
        job,
        progress: undefined,
        begunAt: 0,
        revision: 1,
        changedAt: -Infinity,
        runs: new Map<number, ModelRun>(),
        open: [],
      };
    });
  }

  progressOf(job: ModelJob): ModelProgress | undefined {
    return this.#bookOf(job).progress;
  }

  /** Whether the plan was made from what the ledger still says. */
  isCurrent({ job, progress }: ModelPlan): boolean {
    const version = this.#bookOf(job).progress?.version ?? 0;
    return progress.version === version + 1 || this.#breakage === "late-plan-overwrites";
  }

  /** What a change of the configuration does in its own transaction. */
  follow(revision: number): void {
    const now = this.#clock();
    for (const book of this.#books) {
      const { job } = book;
      if (!job.changes) continue;
      const wasActive = job.intervalMs(book.revision) > 0;
      const isActive = job.intervalMs(revision) > 0;
      book.revision = revision;
      book.changedAt = isActive ? now : -Infinity;
      this.#drop(book, book.changedAt);
      const progress = book.progress ?? neverPlanned;
      const isBehind = wasActive && progress.nextAt <= now;
      const plannedUntil = isBehind ? progress.plannedUntil : now;
      const nextAt = isBehind ? progress.nextAt : now;
      book.progress = { ...progress, plannedUntil, nextAt, version: progress.version + 1 };
      book.begunAt = plannedUntil;
    }
  }

  writeProgress({ job, after, progress }: ModelPlan): void {
    const book = this.#bookOf(job);
    if (book.progress === undefined) book.begunAt = after;
    book.progress = progress;
  }

  writeRuns({ job, revision, times, dropAfter }: ModelPlan): void {
    const book = this.#bookOf(job);
    if (dropAfter < Infinity) this.#drop(book, dropAfter);
    for (const { time, state } of times) {
      if (book.runs.has(time)) continue;
      const begin = { attempt: 1, revision, state, epoch: 0, claimUntil: Infinity };
      const run: ModelRun = { job, time, ...begin };
      book.runs.set(time, run);
      if (state === "planned") book.open.push(run);
    }
  }

  /** Takes what is due, decides about overlaps and misses, and gives up claims that are over. */
  claim(countMax: number, claimMs: number): ModelClaim[] {
    const now = this.#clock();
    const claims: ModelClaim[] = [];
    for (const book of this.#books) {
      for (const run of book.open) if (run.state === "running") this.#reap(book, run, now);
      for (const run of book.open) {
        if (claims.length === countMax || run.time > now) continue;
        if (run.state !== "planned" && this.#breakage !== "claims-twice") continue;
        if (!this.#mayBegin(book, run, now)) continue;
        this.#checker.require(
          run.revision === book.revision || !run.job.changes || run.time <= book.changedAt,
          () => `${run.job.name}@${run.time} begins as it was in revision ${run.revision}`,
        );
        run.state = "running";
        run.epoch += 1;
        run.claimUntil = now + claimMs;
        claims.push({ job: run.job, time: run.time, attempt: run.attempt, epoch: run.epoch });
      }
      this.#sweep(book);
    }
    return claims;
  }

  renew(claims: readonly ModelClaim[], claimMs: number): void {
    const claimUntil = this.#clock() + claimMs;
    for (const claim of claims) {
      const run = this.#running(claim);
      if (run !== undefined) run.claimUntil = claimUntil;
    }
  }

  /** False when the claim was over. */
  settle(claim: ModelClaim): boolean {
    const run = this.#running(claim);
    if (run === undefined) return false;
    run.state = "ok";
    this.#sweep(this.#bookOf(claim.job));
    return true;
  }

  /** True when no time up to `until` is still to be decided. */
  isSettledUntil(until: number): boolean {
    return this.#books.every(({ job, revision, progress, open }) =>
      (job.intervalMs(revision) === 0 || (progress?.plannedUntil ?? -1) >= until) &&
      open.every(({ time }) => time > until)
    );
  }

  /** Whether the newest revision's schedules are what is planned. */
  follows(revision: number): boolean {
    return this.#books.every(({ job, progress }) =>
      (progress?.intervalMs ?? 0) === job.intervalMs(revision)
    );
  }

  /** Every time of every job's present schedule has its row: throws what is missing. */
  checkComplete(until: number): void {
    for (const { job, progress, begunAt, revision, runs } of this.#books) {
      const intervalMs = job.intervalMs(revision);
      if (progress === undefined || intervalMs === 0) continue;
      for (let time = (Math.floor(begunAt / intervalMs) + 1) * intervalMs; time <= until;) {
        this.#checker.require(runs.has(time), () => `${job.name}@${time} was never planned`);
        time += intervalMs;
      }
    }
  }

  #drop(book: JobBook, after: number): void {
    const isDropped = ({ state, time }: ModelRun) => state === "planned" && time > after;
    for (const run of book.open) if (isDropped(run)) book.runs.delete(run.time);
    book.open = book.open.filter((run) => !isDropped(run));
  }

  #bookOf(job: ModelJob): JobBook {
    return this.#books.find((book) => book.job === job)!;
  }

  #running({ job, time, attempt, epoch }: ModelClaim): ModelRun | undefined {
    const run = this.#bookOf(job).runs.get(time);
    const isOurs = run?.state === "running" && run.attempt === attempt && run.epoch === epoch;
    return isOurs && run.claimUntil > this.#clock() ? run : undefined;
  }

  #mayBegin(book: JobBook, run: ModelRun, now: number): boolean {
    const { job, time } = run;
    const isMissed = job.missed === "skip" && now - time > job.graceMs;
    const overlaps = job.overlap === "skip" && book.open.some(({ state }) => state === "running");
    if (!isMissed && !overlaps) return true;
    run.state = "skipped";
    return false;
  }

  /** A run whose server does not come back is lost, and tried again where the job says so. */
  #reap(book: JobBook, run: ModelRun, now: number): void {
    if (run.claimUntil > now) return;
    run.state = "lost";
    if (run.attempt === book.job.attemptsMax) return;
    const again: ModelRun = { ...run, attempt: run.attempt + 1, state: "planned", epoch: 0 };
    book.runs.set(run.time, again);
    book.open.push(again);
  }

  #sweep(book: JobBook): void {
    const isOpen = ({ state }: ModelRun) => state === "planned" || state === "running";
    if (book.open.every(isOpen)) return;
    const before = book.open.length;
    book.open = book.open.filter(isOpen);
    this.ended += before - book.open.length;
  }
}
