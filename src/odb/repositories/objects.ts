import type { Selectable } from "kysely";
import type { StoredObject } from "../../catalog/kind.ts";
import { keyBatches } from "../batches.ts";
import type { ClusterContext } from "../context.ts";
import type { Tables } from "../schema.ts";
import type { ObjectHistoryRow, ObjectKey } from "../types.ts";
import { keyText, namesByKind } from "./keys.ts";

/** An object as its table has it. */
export type ObjectRow = Selectable<Tables["object"]>;

/** By kind and name. */
export async function listObjects(
  cluster: ClusterContext,
  kind?: string,
): Promise<readonly StoredObject[]> {
  const rows = await selectObjects(cluster)
    .$if(kind !== undefined, (query) => query.where("kind", "=", kind ?? ""))
    .orderBy("kind").orderBy("name").execute();
  return rows.map(storedObject);
}

export async function getObject(
  cluster: ClusterContext,
  kind: string,
  name: string,
): Promise<StoredObject | undefined> {
  const row = await selectObjects(cluster).where("kind", "=", kind).where("name", "=", name)
    .executeTakeFirst();
  return row && storedObject(row);
}

/** Oldest first; of deleted objects too. */
export async function objectHistory(
  { db, clusterId }: ClusterContext,
  { kind, name }: ObjectKey,
): Promise<readonly ObjectHistoryRow[]> {
  const rows = await db.selectFrom("object_history").selectAll()
    .where("cluster_id", "=", clusterId).where("kind", "=", kind).where("name", "=", name)
    .orderBy("revision").execute();
  return rows.map((row) => ({
    revision: row.revision,
    clusterRevision: row.cluster_revision,
    action: row.action as ObjectHistoryRow["action"], // written by object-changes.ts alone
    spec: parseSpec(row.spec),
    changedBy: row.changed_by,
    changedAt: row.changed_at,
  }));
}

/** Those of `keys` that exist, under `keyText`. */
export async function loadObjectRows(
  cluster: ClusterContext,
  keys: readonly ObjectKey[],
): Promise<Map<string, ObjectRow>> {
  const found = new Map<string, ObjectRow>();
  for (const [kind, names] of namesByKind(keys)) {
    for (const batch of keyBatches([...names])) {
      const rows = await selectObjects(cluster).where("kind", "=", kind)
        .where("name", "in", batch).execute();
      for (const row of rows) found.set(keyText(row), row);
    }
  }
  return found;
}

/** All objects of the kind. */
export function loadObjectRowsOfKind(cluster: ClusterContext, kind: string): Promise<ObjectRow[]> {
  return selectObjects(cluster).where("kind", "=", kind).execute();
}

/** A spec as it was stored. */
export function parseSpec(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(text); // we wrote it, from an object
}

function selectObjects({ db, clusterId }: ClusterContext) {
  return db.selectFrom("object").selectAll().where("cluster_id", "=", clusterId);
}

function storedObject(row: ObjectRow): StoredObject {
  return {
    kind: row.kind,
    name: row.name,
    spec: parseSpec(row.spec),
    revision: row.revision,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    updatedBy: row.updated_by,
  };
}
