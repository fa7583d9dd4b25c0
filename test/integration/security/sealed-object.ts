import type { StoredObject } from "../../../src/catalog/kind.ts";
import { kinds } from "../../../src/connectors/registry.ts";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { sealSpec } from "../../../src/security/secrets.ts";
import { clusterKey, object } from "../data-plane/worker-process.ts";

/** An object of any kind as the ODB holds it: validated, defaults filled in, secrets sealed. */
export async function sealed(
  kind: string,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): Promise<StoredObject> {
  const declared = kinds.get(kind)!; // tests name kinds that there are
  const valid = declared.schema.parse(spec);
  const key = parseClusterKey(clusterKey);
  return object(kind, name, await sealSpec(declared, valid, { key, name }));
}
