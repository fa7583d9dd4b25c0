import { z } from "zod";
import { defineKind, type StoredObject } from "../../catalog/kind.ts";
import { credentialHeader, credentialParameter } from "../api-key.ts";
import type { ClusterKey } from "../cluster-key.ts";
import { unsealField } from "../secrets.ts";
import type { Credential } from "./credential.ts";

const defaultHeader = "X-API-Key";

export const apiKeyCredentials = defineKind({
  kind: "ApiKeyCredentials",
  group: "credential",
  description: "A key or token that we show other systems, in a header or in the query",
  schema: z.strictObject({
    header: credentialHeader.optional().meta({
      description: `The header that carries the key; default: ${defaultHeader}`,
      example: "Authorization",
    }),
    query: credentialParameter.optional().meta({
      description: "The query parameter that carries the key, instead of a header",
      example: "api_key",
    }),
    prefix: z.string().max(100).regex(/^[\x20-\x7e]*$/, "Printable ASCII only").default("").meta({
      description: "What stands before the key",
      example: "Bearer ",
    }),
    key: z.string().min(1).max(10_000).regex(
      /^[\x20-\x7e]+$/,
      "A key has printable ASCII characters",
    ).meta({
      description: "The key that is sent",
      secret: "encrypted",
      example: "${env:CRM_KEY}",
    }),
  }).refine(({ header, query }) => header === undefined || query === undefined, {
    path: ["query"],
    error: "Say header or query, not both",
  }),
  references: [],
});

/** Throws SECURITY_*, or a zod error for a broken spec. */
export function openApiKeyCredentials(
  { kind, name, spec }: StoredObject,
  key: ClusterKey,
): Credential {
  const { header = defaultHeader, query, prefix, key: sealed } = apiKeyCredentials.schema.parse(
    spec,
  );
  const value = prefix + unsealField({ kind, name, field: "key" }, sealed, key);
  if (query === undefined) return { apply: ({ headers }) => headers.set(header, value) };
  return { apply: ({ url }) => url.searchParams.set(query, value) };
}
