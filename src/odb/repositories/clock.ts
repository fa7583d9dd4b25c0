import { sql } from "kysely";
import { databaseTime, type OdbContext } from "../context.ts";

/** The database's time, ISO 8601 with milliseconds. */
export async function readTime(context: OdbContext): Promise<string> {
  const { rows } = await sql<{ now: string }>`select ${databaseTime(context)} as now`.execute(
    context.db,
  );
  return rows[0]!.now; // a select without a table has one row
}
