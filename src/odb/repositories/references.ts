import { PlatformError } from "../../errors/platform-error.ts";
import { keyBatches, rowBatches } from "../batches.ts";
import type { ClusterContext } from "../context.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import type { ObjectChange, ObjectKey, ObjectReference } from "../types.ts";
import { keyText, listNames, loadIds, serviceKind } from "./keys.ts";

/** An object that is stored, with what it refers to. */
type Referrer = Extract<ObjectChange, { readonly op: "put" }>;

interface MissingReference {
  readonly referrer: Referrer;
  readonly reference: ObjectReference;
}

const describedMax = 5;

/** Forgets what these objects refer to. */
export async function clearReferences(
  { db }: ClusterContext,
  ids: readonly number[],
): Promise<void> {
  for (const batch of keyBatches(ids)) {
    await db.deleteFrom("object_reference").where("object_id", "in", batch).execute();
  }
}

/**
 * Stores what objects refer to; they and what they name must be in the tables by now.
 * Throws ODB_REFERENCE_MISSING and ODB_REFERENCE_AMBIGUOUS.
 */
export async function insertReferences(
  cluster: ClusterContext,
  puts: readonly Referrer[],
): Promise<void> {
  const referrers = puts.filter(({ references }) => references.length > 0);
  const ids = await loadIds(
    cluster,
    referrers.flatMap((referrer) => {
      return [referrer, ...referrer.references.flatMap(candidates)];
    }),
  );
  const rows = new Map<string, ReturnType<typeof referenceRow>>();
  const missing: MissingReference[] = [];
  for (const referrer of referrers) {
    for (const reference of referrer.references) {
      const target = findTarget(referrer, reference, ids);
      if (target === undefined) {
        missing.push({ referrer, reference });
        continue;
      }
      const row = referenceRow(ids.get(keyText(referrer))!, reference.field, target);
      rows.set(JSON.stringify(row), row); // a name that a list holds twice is one reference
    }
  }
  if (missing.length > 0) throw await missingError(cluster, missing);
  for (const batch of rowBatches([...rows.values()])) {
    await cluster.db.insertInto("object_reference").values(batch).execute();
  }
}

function findTarget(
  { kind, name }: Referrer,
  reference: ObjectReference,
  ids: ReadonlyMap<string, number>,
): (ObjectKey & { readonly id: number }) | undefined {
  const found = candidates(reference).flatMap((key) => {
    const id = ids.get(keyText(key));
    return id === undefined ? [] : [{ ...key, id }];
  });
  if (found.length > 1) {
    const kinds = found.map((target) => `a ${target.kind}`).join(" and ");
    const params = { kind, name, field: reference.field, target: reference.name, kinds };
    throw new PlatformError("ODB_REFERENCE_AMBIGUOUS", params, { details: params });
  }
  return found[0];
}

function candidates({ kinds, name }: ObjectReference): ObjectKey[] {
  return kinds.map((kind) => ({ kind, name }));
}

function referenceRow(objectId: number, field: string, target: ObjectKey & { id: number }) {
  const isService = target.kind === serviceKind;
  return {
    object_id: objectId,
    field,
    target_object_id: isService ? null : target.id,
    target_service_id: isService ? target.id : null,
  };
}

async function missingError(
  cluster: ClusterContext,
  missing: readonly MissingReference[],
): Promise<PlatformError> {
  const problems: string[] = [];
  for (const { referrer: { kind, name }, reference } of missing.slice(0, describedMax)) {
    const { field, kinds } = reference;
    const names = await Promise.all(kinds.map((candidate) => listNames(cluster, candidate)));
    const nearest = didYouMean(reference.name, names.flat());
    problems.push(
      `${kind} "${name}": field ${field} names "${reference.name}", ` +
        `but there is no ${kinds.join(" or ")} of that name${nearest}`,
    );
  }
  const more = missing.length > describedMax ? ` and ${missing.length - describedMax} more` : "";
  const details = {
    missing: missing.map(({ referrer: { kind, name }, reference }) => {
      return { kind, name, field: reference.field, missing: reference.name };
    }),
  };
  return new PlatformError("ODB_REFERENCE_MISSING", { problems: problems.join("; ") + more }, {
    details,
  });
}
