import type { ObjectDeletion, ObjectView } from "../../admin-api/api.ts";
import type { JsonClient } from "../../mtls/client.ts";
import type { LoadedDocument } from "./documents.ts";

/**
 * The objects of the cluster that no document names: of the kinds that the documents have, or, with
 * `allKinds`, of every kind. At the revisions of now, so that what changes meanwhile is not deleted.
 */
export async function findSurplus(
  client: JsonClient,
  documents: readonly LoadedDocument[],
  { allKinds }: { readonly allKinds: boolean },
): Promise<readonly ObjectDeletion[]> {
  const kinds = new Set(documents.map(({ document }) => document.kind));
  const named = new Set(documents.map(({ document: { kind, name } }) => `${kind}/${name}`));
  const objects = await client.get<readonly ObjectView[]>("/v1/objects");
  return objects
    .filter(({ kind, name }) => (allKinds || kinds.has(kind)) && !named.has(`${kind}/${name}`))
    .map(({ kind, name, revision }) => ({ kind, name, revision }));
}
