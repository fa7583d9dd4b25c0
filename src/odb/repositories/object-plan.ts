import type { NamedSpec } from "../../catalog/kind.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { canonicalJson } from "../../lib/canonical-json.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import { requireName } from "../names.ts";
import type { ObjectChange } from "../types.ts";
import { keyText } from "./keys.ts";
import { type ObjectRow, parseSpec } from "./objects.ts";

/** One change, and what it comes to. */
export interface PlannedChange {
  readonly change: ObjectChange;
  readonly action: "created" | "updated" | "unchanged" | "deleted";
  /** The object's own revision after the change. */
  readonly revision: number;
  /** Canonical JSON; of a deleted object, what it was. */
  readonly spec: string;
  readonly before?: ObjectRow;
}

/** What the database holds of the objects that a change names, by `keyText`. */
export interface PresentObjects {
  readonly rows: ReadonlyMap<string, ObjectRow>;
  /** Last revision in the history of objects that no longer exist. */
  readonly lastRevisions: ReadonlyMap<string, number>;
  /** For an object that does not exist: the names of its kind. */
  readonly namesOf: (kind: string) => Promise<readonly string[]>;
}

/** Throws for names that cannot be stored and for objects that are named twice. */
export function requireDistinct(changes: readonly ObjectChange[]): void {
  const seen = new Set<string>();
  for (const { op, kind, name } of changes) {
    if (op === "put") {
      requireName("The kind", kind);
      requireName("The name", name);
    }
    const key = keyText({ kind, name });
    if (seen.has(key)) throw new PlatformError("ODB_DUPLICATE_CHANGE", { kind, name });
    seen.add(key);
  }
}

/** Compares changes with what is there. Throws ODB_NO_OBJECT and ODB_REVISION_CONFLICT. */
export async function planChanges(
  changes: readonly ObjectChange[],
  present: PresentObjects,
): Promise<readonly PlannedChange[]> {
  const planned: PlannedChange[] = [];
  for (const change of changes) {
    const before = present.rows.get(keyText(change));
    if (change.op === "delete" && before === undefined) throw await noObject(change, present);
    requireRevision(change, before?.revision ?? 0);
    planned.push(planChange(change, before, present));
  }
  return planned;
}

function planChange(
  change: ObjectChange,
  before: ObjectRow | undefined,
  { lastRevisions }: PresentObjects,
): PlannedChange {
  if (before === undefined) {
    // Revisions go on where a deleted namesake stopped: equal revisions must mean equal specs.
    const revision = (lastRevisions.get(keyText(change)) ?? 0) + 1;
    const spec = change.op === "put" ? canonicalJson(change.spec) : "{}";
    return { change, action: "created", revision, spec };
  }
  const next = before.revision + 1;
  if (change.op === "delete") {
    return { change, action: "deleted", revision: next, spec: before.spec, before };
  }
  const spec = canonicalJson(change.spec);
  return spec === before.spec
    ? { change, action: "unchanged", revision: before.revision, spec, before }
    : { change, action: "updated", revision: next, spec, before };
}

/** The objects of one kind as they will be, given those that are there now. */
export function objectsAfter(
  rows: readonly ObjectRow[],
  planned: readonly PlannedChange[],
): readonly NamedSpec[] {
  const changed = new Map(planned.map((item) => [item.change.name, item]));
  const kept = rows.filter(({ name }) => !changed.has(name))
    .map(({ name, spec }) => ({ name, spec: parseSpec(spec) }));
  const put = planned.filter(({ action }) => action !== "deleted")
    .map(({ change, spec }) => ({ name: change.name, spec: parseSpec(spec) }));
  return [...kept, ...put];
}

function requireRevision({ kind, name, ifRevision }: ObjectChange, found: number): void {
  if (ifRevision === undefined || ifRevision === found) return;
  const params = { kind, name, found, wanted: ifRevision };
  throw new PlatformError("ODB_REVISION_CONFLICT", params, { details: params });
}

async function noObject({ kind, name }: ObjectChange, { namesOf }: PresentObjects) {
  const nearest = didYouMean(name, await namesOf(kind));
  return new PlatformError("ODB_NO_OBJECT", { kind, name, nearest });
}
