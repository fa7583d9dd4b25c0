import { withDefaults } from "../catalog/defaults.ts";
import type { Claim, Kind, KindRegistry, NamedSpec } from "../catalog/kind.ts";
import { PlatformError } from "../errors/platform-error.ts";
import type { ChangeCheck, ObjectChange, ObjectKey } from "../odb/types.ts";

/**
 * Asks whether objects can stand beside each other: each kind whether its own can, and all kinds
 * whether two objects claim the same. The check throws CATALOG_CONFLICT.
 */
export function conflictCheck(
  kinds: KindRegistry,
  changes: readonly ObjectChange[],
): ChangeCheck {
  const puts = changes.filter(({ op }) => op === "put");
  const changed = [...new Set(puts.map(({ kind }) => kind))].flatMap((name) =>
    kinds.get(name) ?? []
  );
  const choosy = changed.filter(({ conflict }) => conflict !== undefined);
  const claiming = [...kinds.values()].filter((kind) =>
    changed.some((other) =>
      (other.claims !== undefined && kind.claims !== undefined) ||
      (other.group === kind.group && sharesNames(kind))
    )
  );
  return {
    kinds: [...new Set([...choosy, ...claiming].map(({ kind }) => kind))],
    run(stored) {
      const objects = new Map(
        [...stored].map(([name, some]) => [name, complete(kinds, name, some)]),
      );
      for (const kind of choosy) askKind(kind, objects.get(kind.kind) ?? [], puts);
      refuseSharedClaims(claiming, objects, puts);
    },
  };
}

function complete(
  kinds: KindRegistry,
  name: string,
  objects: readonly NamedSpec[],
): readonly NamedSpec[] {
  const kind = kinds.get(name);
  if (kind === undefined) return objects;
  return objects.map((object) => ({ name: object.name, spec: withDefaults(kind, object.spec) }));
}

function askKind(
  kind: Kind,
  objects: readonly NamedSpec[],
  puts: readonly ObjectChange[],
): void {
  const byName = new Map(objects.map((object) => [object.name, object]));
  for (const { name } of puts.filter((put) => put.kind === kind.kind)) {
    const own = byName.get(name);
    if (own === undefined) continue;
    const others = objects.filter((object) => object !== own);
    const reason = kind.conflict?.(own.spec, others, name);
    if (reason !== undefined) throw conflict({ kind: kind.kind, name }, reason);
  }
}

function refuseSharedClaims(
  kinds: readonly Kind[],
  objects: ReadonlyMap<string, readonly NamedSpec[]>,
  puts: readonly ObjectChange[],
): void {
  const isPut = new Set(puts.map(({ kind, name }) => `${kind}/${name}`));
  const owners = new Map<string, ObjectKey>();
  for (const kind of kinds) {
    for (const { name, spec } of objects.get(kind.kind) ?? []) {
      for (const { key, what } of claimsOf(kind, { name, spec })) {
        const own = { kind: kind.kind, name };
        const owner = owners.get(key);
        if (owner === undefined) owners.set(key, own);
        // Whoever comes is told, not whoever was there.
        else if (isPut.has(`${own.kind}/${name}`)) throw conflict(own, taken(owner, what));
        else throw conflict(owner, taken(own, what));
      }
    }
  }
}

/** Groups whose objects are referred to by name alone, whatever their kind. */
function sharesNames({ group }: Kind): boolean {
  return group === "security" || group === "credential";
}

function claimsOf(kind: Kind, { name, spec }: NamedSpec): readonly Claim[] {
  const claims = kind.claims?.(spec) ?? [];
  if (!sharesNames(kind)) return claims;
  return [...claims, { key: `name ${kind.group} ${name}`, what: `the name "${name}"` }];
}

function taken({ kind, name }: ObjectKey, what: string): string {
  return `The ${kind} "${name}" already takes ${what}`;
}

function conflict({ kind, name }: ObjectKey, reason: string): PlatformError {
  return new PlatformError("CATALOG_CONFLICT", { kind, name, reason }, { details: { kind, name } });
}
