import { PlatformError } from "../../errors/platform-error.ts";
import { keyBatches } from "../batches.ts";
import type { ClusterContext } from "../context.ts";
import { joinSome } from "../names.ts";
import type { ObjectKey } from "../types.ts";
import { keyText, loadIds, serviceKind } from "./keys.ts";

/** An object or a service that is to go. */
export interface UsedThing extends ObjectKey {
  readonly id: number;
}

/** One use of one thing, as `details.uses` of ODB_IN_USE lists them. */
export interface Use {
  readonly user: ObjectKey;
  readonly used: ObjectKey;
}

/** Those that refer to an object or a service, by kind and name. */
export async function usersOf(
  cluster: ClusterContext,
  key: ObjectKey,
): Promise<readonly ObjectKey[]> {
  const id = (await loadIds(cluster, [key])).get(keyText(key));
  if (id === undefined) return [];
  return (await listUses(cluster, [{ ...key, id }])).map(({ user }) => user);
}

/** Throws ODB_IN_USE, with the users, when anything refers to one of `things`. */
export async function requireUnused(
  cluster: ClusterContext,
  things: readonly UsedThing[],
): Promise<void> {
  const uses = await listUses(cluster, things);
  if (uses.length === 0) return;
  const users = new Map<string, { used: ObjectKey; names: string[] }>();
  for (const { user, used } of uses) {
    const entry = users.get(keyText(used)) ?? { used, names: [] };
    entry.names.push(`${user.kind} "${user.name}"`);
    users.set(keyText(used), entry);
  }
  const problems = [...users.values()].map(({ used, names }) =>
    `${used.kind} "${used.name}" is used by ${joinSome(names, ", ")}`
  );
  throw new PlatformError("ODB_IN_USE", { problems: joinSome(problems, "; ") }, {
    details: { uses },
  });
}

/** Each user once for each thing, by kind and name. */
async function listUses(
  { db }: ClusterContext,
  things: readonly UsedThing[],
): Promise<readonly Use[]> {
  const uses: Use[] = [];
  for (const areServices of [false, true]) {
    const column = areServices ? "target_service_id" : "target_object_id";
    const used = things.filter(({ kind }) => (kind === serviceKind) === areServices);
    const byId = new Map(used.map(({ id, kind, name }) => [id, { kind, name }]));
    for (const batch of keyBatches([...byId.keys()])) {
      const rows = await db.selectFrom("object_reference as r")
        .innerJoin("object as user", "user.id", "r.object_id")
        .select([`r.${column} as target`, "user.kind", "user.name"]).distinct()
        .where(`r.${column}`, "in", batch).orderBy("user.kind").orderBy("user.name").execute();
      for (const { target, ...user } of rows) {
        const thing = byId.get(target ?? -1);
        if (thing !== undefined) uses.push({ user, used: thing });
      }
    }
  }
  return uses;
}
