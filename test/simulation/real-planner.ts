import type { JobProgress, JobRow } from "../../src/odb/job-types.ts";
import { job as jobKind, type JobSpec } from "../../src/scheduler/kinds/job.ts";
import { plan } from "../../src/scheduler/plan.ts";
import {
  type ModelJob,
  modelJobs,
  type ModelPlan,
  type ModelPlanInput,
  type ModelProgress,
} from "./workload.ts";

interface RealProgress extends ModelProgress {
  readonly written: JobProgress;
}

/** The scheduler's own `plan()` for the jobs of the simulation, between their numbers and its texts. */
export function planReally(input: ModelPlanInput): readonly ModelPlan[] {
  const { revision, now } = input;
  const known = new Map(modelJobs.map((job, index) => [job.name, input.progress[index]]));
  const rows = new Map<string, JobRow>();
  for (const [name, progress] of known) {
    if (progress !== undefined) rows.set(name, rowOf(name, progress));
  }
  const output = plan({
    jobs: modelJobs.map((job) => ({ name: job.name, spec: specOf(job, revision) })),
    calendars: new Map(),
    rows,
    now: new Date(Math.floor(now)),
    horizonMs: input.horizonMs,
  });
  return output.progress.map((written) => {
    const job = modelJobs.find(({ name }) => name === written.job)!;
    const before = known.get(job.name);
    const intervalMs = job.intervalMs(revision);
    const drop = output.dropPlanned.find((one) => one.job === job.name);
    const dropAfter = drop?.after === null ? -Infinity : Date.parse(drop?.after ?? "");
    const progress: RealProgress = {
      intervalMs,
      plannedUntil: Date.parse(written.plannedUntil),
      nextAt: written.nextAt === null ? Infinity : Date.parse(written.nextAt),
      version: (before?.version ?? 0) + 1,
      written,
    };
    return {
      job,
      revision,
      after: before?.plannedUntil ?? Math.floor(now),
      times: output.runs.filter((run) => run.job === job.name)
        .map(({ plannedAt, state }) => ({ time: Date.parse(plannedAt), state })),
      progress,
      dropAfter: drop === undefined ? Infinity : dropAfter,
    };
  });
}

function rowOf(name: string, progress: ModelProgress): JobRow {
  // A schedule has one planner from first to last; before it came to a job, a change can have.
  const { written = neverPlanned } = progress as Partial<RealProgress>;
  const pause = { paused: false, pausedBy: null, pausedAt: null };
  return {
    ...written,
    ...pause,
    job: name,
    plannedUntil: instant(progress.plannedUntil),
    nextAt: progress.nextAt === Infinity ? null : instant(progress.nextAt),
    version: progress.version,
  };
}

const neverPlanned = { scheduleHash: "", plannedCount: 0 };

function instant(ms: number): string {
  return new Date(Math.floor(ms)).toISOString();
}

const specs = new Map<string, JobSpec>();

/** The same object each time, as servers keep what they have read. */
function specOf(job: ModelJob, revision: number): JobSpec {
  const intervalMs = job.intervalMs(revision);
  const key = `${job.name} ${intervalMs}`;
  let spec = specs.get(key);
  if (spec === undefined) {
    const { overlap, missed, graceMs, attemptsMax } = job;
    spec = jobKind.schema.parse({
      service: "test",
      active: intervalMs > 0,
      every: `${intervalMs || 1_000}ms`,
      overlap,
      missed,
      graceMs,
      attemptsMax,
      retryLost: attemptsMax > 1,
    });
    specs.set(key, spec);
  }
  return spec;
}
