import type { StoredObject } from "../catalog/kind.ts";
import { sha256Hex } from "../lib/canonical-json.ts";

/**
 * One hash for a set of objects and bundles: equal exactly when every object has the same revision
 * and every file the same code. Objects that failed to come to life must not be passed in.
 */
export function stateHash(
  objects: Iterable<Pick<StoredObject, "kind" | "name" | "revision">>,
  bundles: Iterable<{ readonly file: string; readonly hash: string }>,
): string {
  const lines: string[] = [];
  for (const { kind, name, revision } of objects) lines.push(`${kind}/${name}@${revision}`);
  for (const { file, hash } of bundles) lines.push(`${file}#${hash}`);
  return sha256Hex(lines.sort().join("\n"));
}
