import type { StoredObject } from "../../../catalog/kind.ts";
import { reasonOf } from "../../../errors/platform-error.ts";
import type { ClusterStore } from "../../../odb/types.ts";
import { calendar, type CalendarSpec } from "../../../scheduler/kinds/calendar.ts";
import { job, type JobSpec } from "../../../scheduler/kinds/job.ts";

/** An object as it is stored, and its spec as this version reads it. */
interface ReadObject<S> {
  readonly name: string;
  readonly spec: S;
  readonly stored: StoredObject;
}

export type JobObject = ReadObject<JobSpec>;

/** The cluster's jobs and calendars as the ODB has them. */
export interface JobObjects {
  /** They are at least as new as this. */
  readonly revision: number;
  readonly jobs: readonly JobObject[];
  readonly calendars: ReadonlyMap<string, CalendarSpec>;
  /** Jobs and calendars that this version cannot read, with the reason: nothing is known of them. */
  readonly unreadable: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Reads them; those of `known` when the cluster has had no change since. A job that has not changed
 * stays the same object, as what was compiled for its spec is kept with it.
 */
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
  const read = <S>(stored: StoredObject, parse: (spec: unknown) => S): readonly ReadObject<S>[] => {
    try {
      return [{ name: stored.name, spec: parse(stored.spec), stored }];
    } catch (error) {
      unreadable.push({ name: stored.name, reason: reasonOf(error) });
      return [];
    }
  };
  const before = new Map(known?.jobs.map((one) => [one.name, one]));
  const jobs = jobRows.flatMap((row) => {
    const same = before.get(row.name);
    const { revision: of, updatedAt } = row;
    if (same?.stored.revision === of && same.stored.updatedAt === updatedAt) return [same];
    return read(row, (spec) => job.schema.parse(spec));
  });
  const calendars = calendarRows.flatMap((row) => read(row, (spec) => calendar.schema.parse(spec)));
  return {
    revision,
    jobs,
    calendars: new Map(calendars.map(({ name, spec }) => [name, spec])),
    unreadable,
  };
}
