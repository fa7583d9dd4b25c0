import type { JobRow, RunRow } from "../../odb/job-types.ts";
import type { ClusterStore } from "../../odb/types.ts";
import { type ExplainInput, explainJob } from "../../scheduler/explain.ts";
import type { JobSpec } from "../../scheduler/kinds/job.ts";
import { plan } from "../../scheduler/plan.ts";
import { nextTimes } from "../../scheduler/schedule/next-times.ts";
import {
  type JobObject,
  type JobObjects,
  loadJobObjects,
} from "../../server/supervisor/scheduler/job-objects.ts";
import { schedulerLease } from "../../server/supervisor/scheduler/scheduler.ts";
import type { JobDetail, JobState, JobView, NextTimes } from "../api.ts";

/** What all views of jobs are made from, read at one time. */
interface JobsRead extends JobObjects {
  readonly rows: ReadonlyMap<string, JobRow>;
  /** The database's time. */
  readonly now: Date;
}

/** Runs of one job that are looked at to say what happened to it. */
const runsSeen = 20;
const runsShown = 10;
const nextShown = 5;

/** Which jobs are listed. */
export interface JobsQuery {
  readonly state?: JobState | undefined;
  /** Only those whose names come after this one. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Makes views of a cluster's jobs. It remembers their objects: reading 5,000 anew takes a while. */
export class JobViews {
  #known: JobObjects | undefined;

  /** Jobs by name. */
  async list(store: ClusterStore, query: JobsQuery): Promise<readonly JobView[]> {
    const { state, after, limit } = query;
    const read = await this.#read(store);
    const candidates = read.jobs.filter(({ name }) => after === undefined || name > after)
      .sort((a, b) => a.name < b.name ? -1 : 1)
      .slice(0, state === undefined ? limit : undefined);
    const reasons = alarmsOf({ ...read, jobs: candidates });
    const views: JobView[] = [];
    for (const job of candidates) {
      if (views.length === limit) break;
      const view = viewOf(job, { read, lastRun: undefined, reasons });
      if (state === undefined || view.state === state) views.push(view);
    }
    const runs = await store.lastRuns(views.map(({ name }) => name));
    const lastRuns = new Map(runs.map((run) => [run.job, run]));
    return views.map((view) => ({ ...view, lastRun: lastRuns.get(view.name) ?? null }));
  }

  /** One job with all that is known of it; undefined when there is none such. */
  async detail(store: ClusterStore, name: string): Promise<JobDetail | undefined> {
    const read = await this.#read(store);
    const job = read.jobs.find((one) => one.name === name);
    if (job === undefined) return undefined;
    const explained = await explainInput(store, read, job);
    const runs = explained.lastRuns.filter(({ state }) => state !== "planned");
    const row = read.rows.get(name);
    return {
      ...viewOf(job, { read, lastRun: runs[0], reasons: alarmsOf({ ...read, jobs: [job] }) }),
      spec: job.spec,
      paused: row?.paused === true && row.pausedBy !== null && row.pausedAt !== null
        ? { by: row.pausedBy, at: row.pausedAt }
        : null,
      next: timesOf(job, read, nextShown),
      runs: runs.slice(0, runsShown),
      explanation: explainJob(explained),
    };
  }

  /** The next times of one job; undefined when there is none such. */
  async times(
    store: ClusterStore,
    { name, count }: { readonly name: string; readonly count: number },
  ): Promise<NextTimes | undefined> {
    const read = await this.#read(store);
    const job = read.jobs.find((one) => one.name === name);
    if (job === undefined) return undefined;
    const explanation = explainJob(await explainInput(store, read, job));
    return { times: timesOf(job, read, count), explanation };
  }

  async #read(store: ClusterStore): Promise<JobsRead> {
    const [objects, rows, now] = await Promise.all([
      loadJobObjects(store, this.#known),
      store.listJobRows(),
      store.databaseTime(),
    ]);
    this.#known = objects;
    return { ...objects, rows: new Map(rows.map((row) => [row.job, row])), now: new Date(now) };
  }
}

/** Every server can say which jobs will never run: the planner is pure. */
function alarmsOf(read: JobsRead): ReadonlyMap<string, string> {
  const { alarms } = plan({ ...read, horizonMs: 0 });
  return new Map(alarms.map(({ job, reason }) => [job, reason]));
}

function viewOf(
  job: JobObject,
  { read, lastRun = null, reasons }: {
    readonly read: JobsRead;
    readonly lastRun: RunRow | null | undefined;
    readonly reasons: ReadonlyMap<string, string>;
  },
): JobView {
  const { name, spec } = job;
  const [nextAt = null] = timesOf(job, read, 1);
  const reason = reasons.get(name);
  return {
    name,
    service: spec.service,
    schedule: describeSchedule(spec),
    state: stateOf(spec, { nextAt, isAlarm: reason !== undefined, row: read.rows.get(name) }),
    nextAt,
    lastRun,
    ...(reason === undefined ? {} : { reason }),
  };
}

function stateOf(
  spec: JobSpec,
  { nextAt, isAlarm, row }: {
    readonly nextAt: string | null;
    readonly isAlarm: boolean;
    readonly row: JobRow | undefined;
  },
): JobState {
  if (!spec.active) return "inactive";
  if (row?.paused === true) return "paused";
  if (isAlarm) return "alarm";
  return nextAt === null ? "ended" : "active";
}

/** When it will run; nothing for a job that is inactive or paused. */
function timesOf({ name, spec }: JobObject, read: JobsRead, count: number): readonly string[] {
  const row = read.rows.get(name);
  if (!spec.active || row?.paused === true) return [];
  const times = nextTimes(spec, read.calendars, { after: read.now, count, row });
  return times.map((time) => time.toISOString());
}

function describeSchedule({ at, every, cron, timeZone }: JobSpec): string {
  if (at !== undefined) return `at ${at}`;
  if (every !== undefined) return `every ${every}`;
  return `cron ${cron} in ${timeZone}`;
}

async function explainInput(
  store: ClusterStore,
  read: JobsRead,
  { name, spec }: JobObject,
): Promise<ExplainInput> {
  const [begun, planned, leases, terms, servers] = await Promise.all([
    store.listRuns({ job: name, hasBegun: true, limit: runsSeen }),
    store.listRuns({ job: name, state: "planned", limit: 1_000 }),
    store.listLeases(),
    store.listLeaseTerms({ name: schedulerLease, limit: 1 }),
    store.listServers(),
  ]);
  const lease = leases.find((one) => one.name === schedulerLease);
  return {
    name,
    spec,
    row: read.rows.get(name),
    lastRuns: [...planned, ...begun],
    now: read.now,
    calendars: read.calendars,
    schedulerHeld: lease?.state === "held"
      ? { server: lease.server }
      : { since: terms[0]?.endedAt ?? endOf(lease, read.now) },
    liveServers: servers.filter(({ state }) => state === "up").length,
  };
}

/** A lease that expired unnoticed has no written end yet. */
function endOf(
  lease: { readonly expiresInMs: number } | undefined,
  now: Date,
): string | null {
  return lease === undefined ? null : new Date(now.getTime() + lease.expiresInMs).toISOString();
}
