import type { StoredObject } from "../catalog/kind.ts";
import type { StateParts } from "../cluster/status.ts";
import { kinds } from "../connectors/registry.ts";
import { sha256Hex } from "../lib/canonical-json.ts";
import { secretFields } from "../security/secrets.ts";

/** What a state is made of, as far as its hashes are concerned. */
export interface HashedState {
  readonly objects: readonly Pick<StoredObject, "kind" | "name" | "revision" | "spec">[];
  readonly bundles: readonly { readonly file: string; readonly hash: string }[];
  /** Of the cluster key. */
  readonly keyId: string;
}

/**
 * One hash for each part of a state: equal exactly when every object has the same revision, every
 * file the same code, and every secret the same sealed text under the same key. Objects that failed
 * to come to life must not be passed in.
 */
export function statePartsOf({ objects, bundles, keyId }: HashedState): StateParts {
  const secrets = objects.flatMap(({ kind, name, spec }) => {
    const known = kinds.get(kind);
    if (known === undefined) return [];
    return [...secretFields(known).keys()].filter((field) => field in spec)
      .map((field) => `${kind}/${name}.${field}=${String(spec[field])}`);
  });
  return {
    objects: hashLines(objects.map(({ kind, name, revision }) => `${kind}/${name}@${revision}`)),
    deployments: hashLines(bundles.map(({ file, hash }) => `${file}#${hash}`)),
    secrets: hashLines([`key ${keyId}`, ...secrets]),
  };
}

/** One hash for all of a state. */
export function stateHash({ objects, deployments, secrets }: StateParts): string {
  return hashLines([objects, deployments, secrets]);
}

function hashLines(lines: readonly string[]): string {
  return sha256Hex(lines.toSorted().join("\n"));
}
