import type { NamedSpec } from "../../catalog/kind.ts";
import { keyBatches, rowBatches } from "../batches.ts";
import { type ClusterContext, orUpdate } from "../context.ts";
import { type Outcome, write } from "../transactions.ts";
import type { ChangeCheck, ChangeOptions, ChangeResult, ObjectChange } from "../types.ts";
import { type ChangeStamp, raiseRevision } from "./clusters.ts";
import {
  objectsAfter,
  planChanges,
  type PlannedChange,
  type PresentObjects,
  requireDistinct,
} from "./object-plan.ts";
import { keyText, listNames, namesByKind } from "./keys.ts";
import { withdrawChanged } from "./jobs/withdrawal.ts";
import { loadObjectRows, loadObjectRowsOfKind } from "./objects.ts";
import { clearReferences, insertReferences } from "./references.ts";
import { requireUnused } from "./uses.ts";

/** See ClusterStore.change. */
export function change(
  cluster: ClusterContext,
  changes: readonly ObjectChange[],
  options: ChangeOptions,
): Promise<ChangeResult> {
  requireDistinct(changes);
  return write(cluster, (inside) => changeInside(inside, changes, options));
}

async function changeInside(
  cluster: ClusterContext,
  changes: readonly ObjectChange[],
  { by, dryRun = false, check }: ChangeOptions,
): Promise<Outcome<ChangeResult>> {
  const stamp = await raiseRevision(cluster, by);
  const planned = await planChanges(changes, await loadPresent(cluster, changes));
  const real = planned.filter(({ action }) => action !== "unchanged");
  if (check !== undefined && real.length > 0) await runCheck(cluster, real, check);
  await carryOut(cluster, real, stamp);
  const commit = real.length > 0 && !dryRun;
  const value: ChangeResult = {
    revision: commit ? stamp.revision : stamp.revision - 1,
    changes: planned.map(({ change: { kind, name }, action, revision }) => {
      return { kind, name, action, revision };
    }),
  };
  return { commit, value };
}

async function carryOut(
  cluster: ClusterContext,
  real: readonly PlannedChange[],
  stamp: ChangeStamp,
): Promise<void> {
  const deleted = real.flatMap(({ action, before }) =>
    action === "deleted" && before !== undefined ? [before] : []
  );
  // References first: what is deleted together with its users is not in use.
  await clearReferences(cluster, real.flatMap(({ before }) => before?.id ?? []));
  await requireUnused(cluster, deleted);
  await deleteObjects(cluster, deleted.map(({ id }) => id));
  await putObjects(cluster, real, stamp);
  await insertReferences(
    cluster,
    real.flatMap(({ change: item }) => item.op === "put" ? item : []),
  );
  await insertHistory(cluster, real, stamp);
  await withdrawChanged(cluster, real, stamp.by);
}

async function loadPresent(
  cluster: ClusterContext,
  changes: readonly ObjectChange[],
): Promise<PresentObjects> {
  const rows = await loadObjectRows(cluster, changes);
  const absent = changes.filter((change) => !rows.has(keyText(change)));
  const namesOf = (kind: string) => listNames(cluster, kind);
  return { rows, lastRevisions: await loadLastRevisions(cluster, absent), namesOf };
}

async function loadLastRevisions(
  { db, clusterId }: ClusterContext,
  changes: readonly ObjectChange[],
): Promise<Map<string, number>> {
  const last = new Map<string, number>();
  for (const [kind, names] of namesByKind(changes)) {
    for (const batch of keyBatches([...names])) {
      const rows = await db.selectFrom("object_history")
        .select(({ fn }) => ["name", fn.max("revision").as("revision")])
        .where("cluster_id", "=", clusterId).where("kind", "=", kind).where("name", "in", batch)
        .groupBy("name").execute();
      for (const { name, revision } of rows) last.set(keyText({ kind, name }), revision);
    }
  }
  return last;
}

async function runCheck(
  cluster: ClusterContext,
  real: readonly PlannedChange[],
  check: ChangeCheck,
): Promise<void> {
  const objects = new Map<string, readonly NamedSpec[]>();
  for (const kind of check.kinds) {
    const rows = await loadObjectRowsOfKind(cluster, kind);
    objects.set(kind, objectsAfter(rows, real.filter(({ change }) => change.kind === kind)));
  }
  check.run(objects);
}

async function deleteObjects({ db }: ClusterContext, ids: readonly number[]): Promise<void> {
  for (const batch of keyBatches(ids)) {
    await db.deleteFrom("object").where("id", "in", batch).execute();
  }
}

async function putObjects(
  cluster: ClusterContext,
  real: readonly PlannedChange[],
  { at, by }: ChangeStamp,
): Promise<void> {
  const { db, clusterId } = cluster;
  const rows = real.filter(({ action }) => action !== "deleted")
    .map(({ change: { kind, name }, spec, revision, before }) => ({
      cluster_id: clusterId,
      kind,
      name,
      spec,
      revision,
      created_at: before?.created_at ?? at,
      created_by: before?.created_by ?? by,
      updated_at: at,
      updated_by: by,
    }));
  const end = orUpdate(cluster, ["cluster_id", "kind", "name"], [
    "spec",
    "revision",
    "updated_at",
    "updated_by",
  ]);
  for (const batch of rowBatches(rows)) {
    await db.insertInto("object").values(batch).modifyEnd(end).execute();
  }
}

async function insertHistory(
  { db, clusterId }: ClusterContext,
  real: readonly PlannedChange[],
  stamp: ChangeStamp,
): Promise<void> {
  const rows = real.map(({ change: { kind, name }, action, revision, spec }) => ({
    cluster_id: clusterId,
    kind,
    name,
    revision,
    cluster_revision: stamp.revision,
    action,
    spec,
    changed_at: stamp.at,
    changed_by: stamp.by,
  }));
  for (const batch of rowBatches(rows)) {
    await db.insertInto("object_history").values(batch).execute();
  }
}
