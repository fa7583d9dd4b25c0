import { z } from "zod";
import { defineKind } from "../catalog/kind.ts";

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

export const apiKey = defineKind({
  kind: "ApiKey",
  group: "security",
  description: "A secret key that clients send in a header",
  schema: z.strictObject({
    header: z.string().max(100).regex(
      /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/,
      "A header name has letters, digits and dashes",
    ).refine((name) => !takenHeaders.has(name.toLowerCase()), {
      error: "HTTP itself uses this header",
    }).default("X-API-Key").meta({
      description: "The header that carries the key",
      example: "X-API-Key",
    }),
    key: z.string().min(16).max(1_000).regex(
      /^[\x21-\x7e]+$/,
      "A key has printable ASCII characters and no spaces",
    ).meta({
      description: "The key that clients send, at least 16 characters",
      secret: "token",
      example: "${env:CRM_KEY}",
    }),
  }),
  references: [],
});
