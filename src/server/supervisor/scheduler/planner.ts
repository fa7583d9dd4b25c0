import type { OdbLink } from "../../../cluster/odb-link.ts";
import { isPlatformError, reasonOf } from "../../../errors/platform-error.ts";
import type { StoredObject } from "../../../catalog/kind.ts";
import { delay } from "../../../lib/wait.ts";
import type { JobRow } from "../../../odb/job-types.ts";
import type { LeaseProof } from "../../../odb/lease-types.ts";
import type { ClusterStore } from "../../../odb/types.ts";
import { type Alarm, plan, type PlanOutput } from "../../../scheduler/plan.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import { type JobObjects, loadJobObjects } from "./job-objects.ts";

export interface PlannerOptions {
  readonly link: Pick<OdbLink, "use">;
  /** The proof that this server leads right now; undefined: it does not. */
  readonly proof: () => LeaseProof | undefined;
  /** Makes jobs inactive of which nothing is left, as far as they are still these. */
  readonly deactivate: (jobs: readonly StoredObject[]) => Promise<void>;
  /** Tells every server that something is due sooner than it may look by itself. */
  readonly announce: () => void;
  readonly logger: Logger;
  /** Default 1,000. */
  readonly intervalMs?: number;
}

/** Times are planned so far ahead: so long runs go on while nobody leads. */
const horizonMs = 15_000;
/** Planning is put off while everything up to this long ahead is planned. */
const reserveMs = 10_000;
/** Servers look for themselves at least this often. */
const noticeMs = 1_000;

/**
 * Keeps the ledger of jobs filled ahead of time while this server leads. All that it knows it
 * reads each time, so that another server can go on from there; what it writes is fenced by the
 * lease.
 */
export class Planner {
  readonly #options: Required<PlannerOptions>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #isLeading = false;
  #objects: JobObjects | undefined;
  #alarms: readonly Alarm[] = [];

  constructor(options: PlannerOptions) {
    this.#options = { intervalMs: 1_000, ...options };
  }

  /** While this server leads: jobs that are enabled and will never run. Otherwise none. */
  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  /** The lease was gained. */
  lead(): void {
    this.#isLeading = true;
    this.wake();
  }

  /** The lease was lost, or is about to be released; resolves when nothing is being planned. */
  async rest(): Promise<void> {
    this.#isLeading = false;
    clearTimeout(this.#timer);
    await this.#round;
    if (!this.#isLeading) this.#alarms = [];
  }

  /** Plans now, such as when the cluster's jobs have changed; nothing on servers that do not lead. */
  wake(): void {
    if (!this.#isLeading) return;
    this.#again = true;
    this.#round ??= this.#rounds().finally(() => this.#round = undefined);
  }

  async #rounds(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#again && this.#isLeading) {
      this.#again = false;
      try {
        await this.#plan();
      } catch (error) {
        this.#noteFailure(error);
      }
      // Between two large plans, the lease has to be renewed.
      await delay(0);
    }
    if (!this.#isLeading) return;
    this.#timer = setTimeout(() => this.wake(), this.#options.intervalMs);
  }

  async #plan(): Promise<void> {
    const { link } = this.#options;
    const { now, rows } = await link.use((store) => this.#read(store));
    const { jobs, calendars, unreadable } = this.#objects!; // `read` has set it
    const output = plan({ jobs, calendars, unreadable, rows, now, horizonMs });
    this.#note(output.alarms);
    if (isUrgent(output, { now, rows })) await this.#write(output, now);
    await this.#deactivate(output.done);
    if (!output.isComplete) this.#again = true;
  }

  async #read(store: ClusterStore): Promise<{
    readonly now: Date;
    readonly rows: ReadonlyMap<string, JobRow>;
  }> {
    // First: what changes of a job from now on changes its row, and the plan is refused.
    const rows = await store.listJobRows();
    const before = this.#objects;
    this.#objects = await loadJobObjects(store, before);
    if (this.#objects !== before) {
      for (const one of this.#objects.unreadable) {
        this.#options.logger.error("A job or calendar cannot be read and is not planned", one);
      }
    }
    const now = new Date(await store.databaseTime());
    return { now, rows: new Map(rows.map((row) => [row.job, row])) };
  }

  async #write(output: PlanOutput, now: Date): Promise<void> {
    const { link, proof, announce, logger } = this.#options;
    const held = proof();
    if (held === undefined) return;
    const count = await link.use((store) => store.writePlan(held, output));
    if (count > 0) logger.debug("Runs planned", { count });
    const soon = new Date(now.getTime() + noticeMs).toISOString();
    if (output.runs.some(({ state, dueAt }) => state === "planned" && dueAt <= soon)) announce();
  }

  /** Jobs that ask for it are made inactive once their last run has ended. */
  async #deactivate(done: readonly string[]): Promise<void> {
    const { link, deactivate, proof } = this.#options;
    if (done.length === 0) return;
    const open = await link.use((store) => store.openJobs(done));
    const ended = new Set(done).difference(new Set(open));
    const jobs = this.#objects!.jobs.filter(({ name }) => ended.has(name)); // `read` has set it
    if (jobs.length === 0 || proof() === undefined) return;
    await deactivate(jobs.map(({ stored }) => stored));
  }

  #note(alarms: readonly Alarm[]): void {
    const known = new Set(this.#alarms.map(keyOf));
    for (const alarm of alarms) {
      if (known.has(keyOf(alarm))) continue;
      this.#options.logger.error("A job is enabled and will never run", { ...alarm });
    }
    this.#alarms = alarms;
  }

  #noteFailure(error: unknown): void {
    const { logger } = this.#options;
    // Losing the ODB is logged by the link, losing the lease by its keeper.
    if (isPlatformError(error, "ODB_UNREACHABLE")) return;
    if (isPlatformError(error, "LEASE_LOST")) {
      logger.warn("A plan was refused", { reason: reasonOf(error) });
    } else {
      logger.error("Planning jobs failed and will be tried again", { error });
    }
  }
}

function keyOf({ job, reason }: Alarm): string {
  return `${job}\n${reason}`;
}

/**
 * Whether a plan has to be written now. What is only far ahead is gathered, so that a job that
 * runs each second does not cost a transaction each second. Rows that a change has turned back are
 * brought up to date at once: the next change is to find out up to when there are runs.
 */
function isUrgent(
  { runs, progress, dropPlanned, isComplete }: PlanOutput,
  { now, rows }: { readonly now: Date; readonly rows: ReadonlyMap<string, JobRow> },
): boolean {
  if (dropPlanned.length > 0 || !isComplete) return true;
  const soon = new Date(now.getTime() + reserveMs).toISOString();
  return runs.some(({ plannedAt, state }) => state === "skipped" || plannedAt <= soon) ||
    progress.some(({ job, scheduleHash, nextAt }) => {
      const row = rows.get(job);
      return row === undefined || row.scheduleHash !== scheduleHash || row.nextAt === null ||
        nextAt === null || row.nextAt === row.plannedUntil;
    });
}
