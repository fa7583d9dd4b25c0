import { z } from "zod";
import { defineKind } from "../catalog/kind.ts";
import { roleList } from "./roles.ts";

/** Headers that mean something else to HTTP itself. */
const takenHeaders = new Set([
  "connection",
  "content-length",
  "content-type",
  "cookie",
  "date",
  "expect",
  "host",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** The header that carries the key when a definition names neither a header nor a parameter. */
export const defaultKeyHeader = "X-API-Key";

/** A header that may carry a credential. */
export const credentialHeader = z.string().max(100).regex(
  /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/,
  "A header name has letters, digits and dashes",
).refine((name) => !takenHeaders.has(name.toLowerCase()), {
  error: "HTTP itself uses this header",
});

/** A query parameter that may carry a credential. */
export const credentialParameter = z.string().min(1).max(100).regex(
  /^[A-Za-z0-9._~-]+$/,
  "A parameter has letters, digits, dots, dashes, underscores and tildes",
);

export const apiKey = defineKind({
  kind: "ApiKey",
  group: "security",
  description: "A secret key that clients send in a header or in the query",
  schema: z.strictObject({
    header: credentialHeader.optional().meta({
      description: `The header that carries the key; default: ${defaultKeyHeader}`,
      example: "X-API-Key",
    }),
    query: credentialParameter.optional().meta({
      description: "The query parameter that carries the key, instead of a header",
      example: "api_key",
    }),
    key: z.string().min(16).max(1_000).regex(
      /^[\x21-\x7e]+$/,
      "A key has printable ASCII characters and no spaces",
    ).meta({
      description: "The key that clients send, at least 16 characters",
      secret: "token",
      example: "${env:CRM_KEY}",
    }),
    roles: roleList.optional().meta({
      description: "Roles of whoever sends the key",
      example: ["reader"],
    }),
  }).refine(({ header, query }) => header === undefined || query === undefined, {
    path: ["query"],
    error: "Say header or query, not both",
  }),
  references: [],
});
