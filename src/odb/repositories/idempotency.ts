import {
  type ClusterContext,
  databaseTime,
  databaseTimeAfter,
  orUpdate,
  timeToCompare,
} from "../context.ts";
import type {
  ClaimOptions,
  KeptAnswer,
  KeyClaim,
  KeyProof,
  KeyStanding,
} from "../idempotency-types.ts";
import type { LeaseHolder } from "../lease-types.ts";
import { repeatWhenContended } from "../transactions.ts";

/** A server that was not seen for so long, by database time, is believed to be gone. */
const lostAfterMs = 10_000;
/** No request takes longer than a day: what was begun before that has come to its end somehow. */
const begunMs = 86_400_000;

/** See IdempotencyStore.claimKey. */
export function claimKey(
  cluster: ClusterContext,
  { claim, holder, judgesSilence = true }: ClaimOptions & {
    readonly claim: KeyClaim;
    readonly holder: LeaseHolder;
  },
): Promise<KeyStanding> {
  return repeatWhenContended(async () => {
    await insertKey(cluster, claim, holder);
    const row = await findKey(cluster, claim);
    // Released by its holder since: this client may come again.
    if (row === undefined) return { state: "running" };
    if (row.cid === claim.cid) return { state: "ours" };
    if (row.fingerprint !== claim.fingerprint) return { state: "reused" };
    if (row.state === "done") return { state: "done", answer: answerOf(row) };
    const isSame = row.server === holder.server && row.incarnation === holder.incarnation;
    const isRunning = row.state === "begun" && (isSame || !isGone(row, judgesSilence));
    if (isRunning) return { state: "running" };
    if (!claim.repeatUnknown) return { state: "unknown", cid: row.cid };
    return { state: await takeOver(cluster, { claim, holder, cid: row.cid }) };
  });
}

/** See IdempotencyStore.settleKey. */
export async function settleKey(
  cluster: ClusterContext,
  proof: KeyProof,
  { status, headers, body }: KeptAnswer,
): Promise<void> {
  await repeatWhenContended(() =>
    updateKey(cluster, proof).set({
      state: "done",
      changed_at: databaseTime(cluster),
      status,
      headers: JSON.stringify(headers),
      body,
    }).execute()
  );
}

/** See IdempotencyStore.releaseKey. */
export async function releaseKey(
  { db, clusterId }: ClusterContext,
  { id, cid }: KeyProof,
): Promise<void> {
  await repeatWhenContended(() =>
    db.deleteFrom("idempotency_key").where("cluster_id", "=", clusterId).where("id", "=", id)
      .where("cid", "=", cid).where("state", "=", "begun").execute()
  );
}

/** See IdempotencyStore.loseKeys. */
export async function loseKeys(
  cluster: ClusterContext,
  proofs: readonly KeyProof[],
): Promise<void> {
  for (const proof of proofs) {
    await repeatWhenContended(() =>
      updateKey(cluster, proof).set({ state: "lost", changed_at: databaseTime(cluster) })
        .where("state", "=", "begun").execute()
    );
  }
}

/** See IdempotencyStore.pruneKeys. */
export async function pruneKeys(cluster: ClusterContext, keepMs: number): Promise<number> {
  const { db, clusterId } = cluster;
  const before = (ms: number) => timeToCompare(databaseTimeAfter(cluster, -ms));
  let count = 0;
  for (const [states, ms] of [[["done", "lost"], keepMs], [["begun"], keepMs + begunMs]] as const) {
    // By key, because not every database deletes up to a limit.
    const old = await db.selectFrom("idempotency_key").select("id")
      .where("cluster_id", "=", clusterId).where("changed_at", "<=", before(ms))
      .where("state", "in", states).orderBy("changed_at").limit(500).execute();
    if (old.length === 0) continue;
    const { numDeletedRows } = await db.deleteFrom("idempotency_key")
      .where("cluster_id", "=", clusterId).where("id", "in", old.map(({ id }) => id))
      .where("changed_at", "<=", before(ms)).where("state", "in", states)
      .executeTakeFirstOrThrow();
    count += Number(numDeletedRows);
  }
  return count;
}

/** Leaves the row alone that is there already. */
async function insertKey(
  cluster: ClusterContext,
  { id, fingerprint, cid }: KeyClaim,
  { server, incarnation }: LeaseHolder,
): Promise<void> {
  await cluster.db.insertInto("idempotency_key").values({
    cluster_id: cluster.clusterId,
    ...{ id, fingerprint, cid, server, incarnation },
    state: "begun",
    changed_at: databaseTime(cluster),
  }).modifyEnd(orUpdate(cluster, ["cluster_id", "id"])).execute();
}

interface FoundKey {
  readonly fingerprint: string;
  readonly cid: string;
  readonly server: string;
  readonly incarnation: string;
  readonly state: string;
  readonly status: number | null;
  readonly headers: string | null;
  readonly body: string | null;
  /** Of the server as it is now; null when there is none of that name. */
  readonly liveIncarnation: string | null;
  readonly serverState: string | null;
  readonly seenAt: string | null;
  readonly now: string;
}

function findKey(
  cluster: ClusterContext,
  { id }: KeyClaim,
): Promise<FoundKey | undefined> {
  return cluster.db.selectFrom("idempotency_key as key")
    .leftJoin("server", (join) =>
      join.onRef("server.cluster_id", "=", "key.cluster_id")
        .onRef("server.name", "=", "key.server"))
    .select(["key.fingerprint", "key.cid", "key.server", "key.incarnation", "key.state"])
    .select(["key.status", "key.headers", "key.body"])
    .select(["server.incarnation as liveIncarnation", "server.state as serverState"])
    .select(["server.last_seen_at as seenAt", databaseTime(cluster).as("now")])
    .where("key.cluster_id", "=", cluster.clusterId).where("key.id", "=", id).executeTakeFirst();
}

/** Whether the life of the server is over that began the request. */
function isGone(
  { incarnation, liveIncarnation, serverState, seenAt, now }: FoundKey,
  judgesSilence: boolean,
): boolean {
  if (liveIncarnation !== incarnation || serverState === "down" || seenAt === null) return true;
  return judgesSilence && Date.parse(now) - Date.parse(seenAt) > lostAfterMs;
}

function answerOf({ status, headers, body }: FoundKey): KeptAnswer {
  // Both are set together with the state, from a KeptAnswer alone.
  return { status: status!, headers: JSON.parse(headers!), body };
}

/** Of several that find a request whose outcome nobody knows, one takes its place. */
async function takeOver(
  cluster: ClusterContext,
  { claim, holder, cid }: {
    readonly claim: KeyClaim;
    readonly holder: LeaseHolder;
    /** Of the request that was begun. */
    readonly cid: string;
  },
): Promise<"ours" | "running"> {
  const { server, incarnation } = holder;
  const { numUpdatedRows } = await updateKey(cluster, { id: claim.id, cid })
    .set({ cid: claim.cid, server, incarnation, state: "begun", changed_at: databaseTime(cluster) })
    .where("state", "<>", "done").executeTakeFirstOrThrow();
  return numUpdatedRows > 0n ? "ours" : "running";
}

function updateKey({ db, clusterId }: ClusterContext, { id, cid }: KeyProof) {
  return db.updateTable("idempotency_key")
    .where("cluster_id", "=", clusterId).where("id", "=", id).where("cid", "=", cid);
}
