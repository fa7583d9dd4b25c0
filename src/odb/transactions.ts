import { isPlatformError } from "../errors/platform-error.ts";
import { backoffMs } from "../lib/backoff.ts";
import { delay } from "../lib/wait.ts";
import type { ClusterContext } from "./context.ts";

/** What work in a transaction came to. */
export interface Outcome<T> {
  readonly commit: boolean;
  readonly value: T;
}

const attemptsMax = 5;

/** Several reads that see the data at one and the same moment. */
export function readConsistently<T>(
  cluster: ClusterContext,
  work: (inside: ClusterContext) => Promise<T>,
): Promise<T> {
  return repeatWhenContended(() =>
    cluster.db.transaction().setAccessMode("read only")
      .execute((transaction) => work({ ...cluster, db: transaction }))
  );
}

/**
 * Runs `work` in a transaction that is committed only when it says so. The work is repeated when
 * the database breaks the transaction off in favour of another one, so it must have no effects
 * outside the database. When the connection breaks during the commit, nobody can tell whether the
 * change was made: that is ODB_UNREACHABLE too, and every write of ours bears being repeated.
 */
export function write<T>(
  cluster: ClusterContext,
  work: (inside: ClusterContext) => Promise<Outcome<T>>,
): Promise<T> {
  return repeatWhenContended(async () => {
    let outcome: Outcome<T> | undefined;
    try {
      await cluster.db.transaction().execute(async (transaction) => {
        outcome = await work({ ...cluster, db: transaction });
        if (!outcome.commit) throw discarded;
      });
    } catch (error) {
      if (error !== discarded) throw error;
    }
    return outcome!.value; // set, or the work has thrown
  });
}

/** Thrown to make Kysely roll back a transaction that went well. */
const discarded = new Error("The transaction is not wanted");

/** Repeats statements that bear it while the database breaks them off in favour of others. */
export async function repeatWhenContended<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attemptsMax || !isPlatformError(error, "ODB_CONTENDED")) throw error;
    }
    await delay(backoffMs(attempt, { firstMs: 10 }));
  }
}
