import { type RawBuilder, sql } from "kysely";
import type { OdbDatabase } from "./schema.ts";

/** What a repository needs: where to ask (a database or a transaction) and how to tell the time. */
export interface OdbContext {
  readonly db: OdbDatabase;
  /** SQL expression; see Backend.now. */
  readonly now: string;
  /** See Backend.timeAfter. */
  readonly timeAfter: (ms: number) => string;
  /** See Backend.skipTaken. */
  readonly skipTaken: string;
  /** See Backend.awaitTaken. */
  readonly awaitTaken: string;
  /** See Backend.renderUpsert. */
  readonly renderUpsert: (keys: readonly string[], columns: readonly string[]) => string;
}

/** The same for the rows of one cluster. */
export interface ClusterContext extends OdbContext {
  readonly clusterId: number;
  readonly clusterName: string;
}

/** The database's time at the moment of the statement, as ISO 8601 text. */
export function databaseTime({ now }: OdbContext): RawBuilder<string> {
  return sql<string>`${sql.raw(now)}`;
}

/** The database's time so many milliseconds after the statement, or before it when negative. */
export function databaseTimeAfter({ timeAfter }: OdbContext, ms: number): RawBuilder<string> {
  return sql<string>`${sql.raw(timeAfter(Math.round(ms)))}`;
}

/**
 * The database's time as what a column is compared with. A subquery, because PostgreSQL uses an
 * index only for what it need not compute anew for every row.
 */
export function timeToCompare(time: RawBuilder<string>): RawBuilder<string> {
  return sql<string>`(select ${time})`;
}

/**
 * The end of an `insert` whose rows may be there already, told by their `keys`: those get the given
 * columns of the new rows, or stay as they are when no columns are given.
 */
export function orUpdate(
  { renderUpsert }: OdbContext,
  keys: readonly string[],
  columns: readonly string[] = [],
): RawBuilder<unknown> {
  return sql.raw(renderUpsert(keys, columns));
}
