import type { JobRow, NewRun, Plan } from "../../src/odb/job-types.ts";
import { job, type JobSpec } from "../../src/scheduler/kinds/job.ts";
import { plan, type PlanInput, type PlanOutput } from "../../src/scheduler/plan.ts";
import type { Calendars } from "../../src/scheduler/schedule/schedule.ts";

/** The spec of a job, with what is not given as it is by default. */
export function jobSpec(fields: Readonly<Record<string, unknown>>): JobSpec {
  return job.schema.parse({ service: "demo.run", ...fields });
}

/** Does to plans what the ODB does, in memory. */
export class MemoryLedger {
  readonly rows = new Map<string, JobRow>();
  readonly #runs = new Map<string, NewRun>();
  jobs: PlanInput["jobs"] = [];
  calendars: Calendars = new Map();

  constructor(jobs: Readonly<Record<string, Readonly<Record<string, unknown>>>>) {
    this.setJobs(jobs);
  }

  setJobs(jobs: Readonly<Record<string, Readonly<Record<string, unknown>>>>): void {
    this.jobs = Object.entries(jobs).map(([name, spec]) => ({ name, spec: jobSpec(spec) }));
  }

  /** Plans once, and writes it down. */
  plan(now: string | number, horizonMs = 15_000): PlanOutput {
    const { jobs, calendars, rows } = this;
    const output = plan({ jobs, calendars, rows, now: new Date(now), horizonMs });
    this.write(output);
    return output;
  }

  /** Plans until there is nothing more to plan. */
  planAll(now: string | number, horizonMs = 15_000): void {
    while (!this.plan(now, horizonMs).isComplete);
  }

  write({ runs, progress, dropPlanned }: Plan): void {
    for (const { job, after } of dropPlanned) {
      for (const [key, run] of this.#runs) {
        const isDropped = run.job === job && run.state === "planned" && !this.#begun.has(key) &&
          (after === null || run.plannedAt > after);
        if (isDropped) this.#runs.delete(key);
      }
    }
    for (const run of runs) {
      const key = keyOf(run);
      if (!this.#runs.has(key)) this.#runs.set(key, run);
    }
    for (const one of progress) {
      const { paused = false, pausedBy = null, pausedAt = null } = this.rows.get(one.job) ?? {};
      this.rows.set(one.job, { ...one, paused, pausedBy, pausedAt });
    }
  }

  readonly #begun = new Set<string>();

  /** All runs that are due begin; they are not dropped any more. */
  begin(now: string | number): void {
    const limit = new Date(now).toISOString();
    for (const [key, run] of this.#runs) if (run.dueAt <= limit) this.#begun.add(key);
  }

  /** Another one of a job from now on, as the transaction of its change leaves it. */
  change(job: string, fields: Readonly<Record<string, unknown>>, now: string): void {
    const time = new Date(now).toISOString();
    const others = this.jobs.filter(({ name }) => name !== job);
    this.jobs = [...others, { name: job, spec: jobSpec(fields) }];
    const row = this.rows.get(job) ?? newRow(job);
    const dropped = [...this.#runs].filter(([, run]) => run.job === job && run.plannedAt > time);
    for (const [key] of dropped) this.#runs.delete(key);
    const plannedCount = row.plannedCount - dropped.length;
    const isBehind = row.nextAt !== null && row.nextAt <= time;
    const turned = isBehind ? {} : { plannedUntil: time, nextAt: time };
    this.rows.set(job, { ...row, plannedCount, ...turned });
  }

  pause(job: string, now: string): void {
    const row = this.rows.get(job)!; // the test has planned it
    const time = new Date(now).toISOString();
    const dropped = [...this.#runs].filter(([key, run]) =>
      run.job === job && run.state === "planned" && !this.#begun.has(key)
    );
    for (const [key] of dropped) this.#runs.delete(key);
    this.rows.set(job, {
      ...row,
      plannedUntil: time,
      nextAt: time,
      plannedCount: row.plannedCount - dropped.length,
      paused: true,
      pausedBy: "operator/anna",
      pausedAt: time,
    });
  }

  resume(job: string, now: string): void {
    const time = new Date(now).toISOString();
    const row = this.rows.get(job)!; // the test has planned it
    const turned = { plannedUntil: time, nextAt: time, pausedBy: null, pausedAt: null };
    this.rows.set(job, { ...row, ...turned, paused: false });
  }

  /** All runs there are of a job, by planned time. */
  runsOf(job: string): readonly NewRun[] {
    return [...this.#runs.values()].filter((run) => run.job === job)
      .toSorted((a, b) => a.plannedAt < b.plannedAt ? -1 : 1);
  }

  /** Their times of day, without date; `-` before those that are skipped. */
  timesOf(job: string): readonly string[] {
    return this.runsOf(job).map(({ plannedAt, state }) =>
      `${state === "skipped" ? "-" : ""}${plannedAt.slice(11).replace(/(\.000)?Z$/, "")}`
    );
  }
}

function newRow(job: string): JobRow {
  const progress = { job, scheduleHash: "", plannedUntil: "", plannedCount: 0, nextAt: null };
  return { ...progress, paused: false, pausedBy: null, pausedAt: null };
}

function keyOf({ job, plannedAt }: NewRun): string {
  return `${job}\n${plannedAt}`;
}
