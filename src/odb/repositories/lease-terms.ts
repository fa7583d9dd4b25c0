import type { RawBuilder } from "kysely";
import { type ClusterContext, databaseTime, databaseTimeAfter, timeToCompare } from "../context.ts";
import type { HeldLease, LeaseEnd, LeaseProof, LeaseTerm } from "../lease-types.ts";

/** How long terms stay on record after they began. */
const keepMs = 90 * 86_400_000;

/** Writes down that a holder's term begins, and forgets this lease's terms of long ago. */
export async function startTerm(
  cluster: ClusterContext,
  { name, epoch, holder, startedAt }: LeaseProof & { readonly startedAt: string },
): Promise<void> {
  const { db, clusterId } = cluster;
  await db.insertInto("lease_term").values({
    cluster_id: clusterId,
    name,
    epoch,
    server: holder.server,
    incarnation: holder.incarnation,
    started_at: startedAt,
    ended_at: null,
    ending: null,
  }).execute();
  await db.deleteFrom("lease_term").where("cluster_id", "=", clusterId).where("name", "=", name)
    .where("started_at", "<", timeToCompare(databaseTimeAfter(cluster, -keepMs))).execute();
}

/** Writes down how a term ended. */
export async function endTerm(
  { db, clusterId }: ClusterContext,
  { name, epoch, endedAt, end }: HeldLease & {
    readonly endedAt: string | RawBuilder<string>;
    readonly end: LeaseEnd;
  },
): Promise<void> {
  await db.updateTable("lease_term").set({ ended_at: endedAt, ending: end })
    .where("cluster_id", "=", clusterId).where("name", "=", name).where("epoch", "=", epoch)
    .execute();
}

/** See LeaseStore.listLeaseTerms. */
export async function listLeaseTerms(
  cluster: ClusterContext,
  { name, limit = 100 }: {
    readonly name?: string | undefined;
    readonly limit?: number | undefined;
  },
): Promise<readonly LeaseTerm[]> {
  const rows = await cluster.db.selectFrom("lease_term as term")
    .innerJoin("lease", (join) =>
      join.onRef("lease.cluster_id", "=", "term.cluster_id")
        .onRef("lease.name", "=", "term.name"))
    .select(["term.name", "term.epoch", "term.server", "term.incarnation"])
    .select(["term.started_at as startedAt", "term.ended_at as endedAt", "term.ending"])
    .select(["lease.epoch as lastEpoch", "lease.expires_at as expiresAt"])
    .select(databaseTime(cluster).as("now"))
    .where("term.cluster_id", "=", cluster.clusterId)
    .$if(name !== undefined, (query) => query.where("term.name", "=", name!))
    .orderBy("term.started_at", "desc").orderBy("term.epoch", "desc")
    .limit(Math.min(Math.max(1, limit), 1_000)).execute();
  return rows.map(({ lastEpoch, expiresAt, now, ending, ...term }) => {
    // A term that ran out is closed by the next holder; until then nobody has written it down.
    const hasExpired = term.epoch === lastEpoch && expiresAt !== null && expiresAt <= now;
    if (hasExpired) return { ...term, endedAt: expiresAt, end: "expired" };
    return { ...term, end: ending as LeaseEnd | null }; // written from a LeaseEnd alone
  });
}
