import { setImmediate } from "node:timers/promises";
import type { StoredObject } from "../catalog/kind.ts";
import { canonicalJson, sha256Hex } from "../lib/canonical-json.ts";
import type { ObjectHash } from "./worker/protocol.ts";

/** So many objects are hashed before requests get their turn. */
const batch = 100;
const known = new WeakMap<object, string>();

/** The content of each object as a hash; an object is looked at once. */
export async function hashObjects(
  objects: readonly StoredObject[],
): Promise<readonly ObjectHash[]> {
  const hashes: ObjectHash[] = [];
  let fresh = 0;
  for (const object of objects) {
    const { kind, name, revision, spec } = object;
    let hash = known.get(object);
    if (hash === undefined) {
      hash = sha256Hex(canonicalJson(spec)).slice(0, 16);
      known.set(object, hash);
      if (++fresh % batch === 0) await setImmediate();
    }
    hashes.push({ kind, name, revision, hash });
  }
  return hashes;
}

/** One hash for all of them, in any order. */
export function contentHash(objects: readonly ObjectHash[]): string {
  const lines = objects.map((one) => `${one.kind}/${one.name}@${one.revision}=${one.hash}`);
  return sha256Hex(lines.sort().join("\n"));
}
