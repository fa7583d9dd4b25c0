import { keyBatches } from "../batches.ts";
import type { ClusterContext } from "../context.ts";
import type { ObjectKey } from "../types.ts";

/** The kind under which services, which are no objects, are referred to. */
export const serviceKind = "Service";

/** The kind of the objects whose times the ledger holds. */
export const jobKind = "Job";

/** The kind of the objects that jobs take times out with. */
export const calendarKind = "Calendar";

/** A key as one text, for maps; kinds hold no slash. */
export function keyText({ kind, name }: ObjectKey): string {
  return `${kind}/${name}`;
}

/** The distinct names of each kind. */
export function namesByKind(keys: readonly ObjectKey[]): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const { kind, name } of keys) {
    const ofKind = names.get(kind) ?? new Set();
    names.set(kind, ofKind.add(name));
  }
  return names;
}

/** Row ids of those objects and services that exist, by `keyText`. */
export async function loadIds(
  cluster: ClusterContext,
  keys: readonly ObjectKey[],
): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  for (const [kind, names] of namesByKind(keys)) {
    for (const batch of keyBatches([...names])) {
      const rows = await selectKeys(cluster, kind).where("name", "in", batch).execute();
      for (const { id, name } of rows) ids.set(keyText({ kind, name }), id);
    }
  }
  return ids;
}

/** All names of a kind, in order. */
export async function listNames(
  cluster: ClusterContext,
  kind: string,
): Promise<readonly string[]> {
  const rows = await selectKeys(cluster, kind).orderBy("name").execute();
  return rows.map(({ name }) => name);
}

function selectKeys({ db, clusterId }: ClusterContext, kind: string) {
  const table = kind === serviceKind ? "service" : "object";
  return db.selectFrom(table).select(["id", "name"]).where("cluster_id", "=", clusterId)
    .$if(table === "object", (query) => query.where("object.kind", "=", kind));
}
