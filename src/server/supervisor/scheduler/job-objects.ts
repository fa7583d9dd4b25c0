import type { StoredObject } from "../../../catalog/kind.ts";
import { reasonOf } from "../../../errors/platform-error.ts";
import type { ClusterStore } from "../../../odb/types.ts";
import { calendar, type CalendarSpec } from "../../../scheduler/kinds/calendar.ts";
import { job, type JobSpec } from "../../../scheduler/kinds/job.ts";

/** A job as it is stored, and its spec as this version reads it. */
export interface JobObject {
  readonly name: string;
  readonly spec: JobSpec;
  readonly stored: StoredObject;
}

/** The cluster's jobs and calendars as the ODB has them. */
export interface JobObjects {
  /** They are at least as new as this. */
  readonly revision: number;
  readonly jobs: readonly JobObject[];
  readonly calendars: ReadonlyMap<string, CalendarSpec>;
  /** Jobs and calendars that this version cannot read, with the reason: nothing is known of them. */
  readonly unreadable: readonly { readonly name: string; readonly reason: string }[];
}

/** Reads them; those of `known` when the cluster has had no change since. */
export async function loadJobObjects(
  store: ClusterStore,
  known?: JobObjects,
): Promise<JobObjects> {
  // First: what is read after it may be newer, and is read again then.
  const revision = await store.revision();
  if (known?.revision === revision) return known;
  const [jobRows, calendarRows] = await Promise.all([
    store.listObjects(job.kind),
    store.listObjects(calendar.kind),
  ]);
  const unreadable: { name: string; reason: string }[] = [];
  const parse = <T>(object: StoredObject, read: (spec: unknown) => T) => {
    try {
      return [{ name: object.name, spec: read(object.spec), stored: object }];
    } catch (error) {
      unreadable.push({ name: object.name, reason: reasonOf(error) });
      return [];
    }
  };
  const jobs = jobRows.flatMap((row) => parse(row, (spec) => job.schema.parse(spec)));
  const calendars = calendarRows.flatMap((row) =>
    parse(row, (spec) => calendar.schema.parse(spec))
  );
  return {
    revision,
    jobs,
    calendars: new Map(calendars.map(({ name, spec }) => [name, spec])),
    unreadable,
  };
}
