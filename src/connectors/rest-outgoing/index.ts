import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { httpConnectionFields } from "../../http/client/connection-fields.ts";

/** Headers that the connection itself decides about. */
const ownHeaders = new Set([
  "authorization",
  "connection",
  "content-length",
  "keep-alive",
  "proxy-authorization",
  "transfer-encoding",
  "upgrade",
]);

const headerName = z.string().max(100).regex(
  /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/,
  "A header name has letters, digits and dashes",
).refine(
  (name) => !ownHeaders.has(name.toLowerCase()),
  "This header is set by the connection; use a credential to log in",
);
const headerValue = z.string().max(8_000).regex(
  /^[\x20-\x7e]*$/,
  "A header has printable ASCII characters",
);

const path = z.string().max(1_000).regex(
  /^(\/[^?#\s]*)?$/,
  'A path begins with "/" and has no query',
);

/** Another system's HTTP API, as services call it. */
export const restOutgoing = defineKind({
  kind: "RestOutgoing",
  group: "outgoing",
  description: "Calls another system over HTTP",
  schema: z.strictObject({
    ...httpConnectionFields,
    path: path.default("").meta({
      description: "What every path begins with, after the address",
      example: "/api/v2",
    }),
    format: z.enum(["json", "form"]).default("json").meta({
      description: "How the bodies that services give are written",
      example: "json",
    }),
    headers: z.record(headerName, headerValue).default({}).meta({
      description: "Headers of every request; none that are secret",
      example: { "X-Tenant": "acme" },
    }),
    ping: z.strictObject({
      method: z.enum(["HEAD", "GET", "OPTIONS"]).default("HEAD").meta({
        description: "The method that tells whether the other side works",
        example: "GET",
      }),
      path: path.default("").meta({ description: "The path of it", example: "/health" }),
    }).prefault({}).meta({
      description: "How the connection is tested",
      example: { method: "GET", path: "/health" },
    }),
  }),
  references: [{ field: "credential", to: "credential" }],
  canPing: true,
});

/** A RestOutgoing's spec, validated. */
export type RestOutgoingSpec = z.output<typeof restOutgoing.schema>;
