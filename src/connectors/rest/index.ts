import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { corsFields } from "../../http/cors.ts";
import {
  edgeFields,
  pathField,
  requestFields,
  requireRoleGivers,
  securityField,
} from "../../http/channel-fields.ts";
import { claimPath } from "../../http/path-claims.ts";
import { responseCacheFields } from "../../http/response-cache.ts";
import {
  acceptField,
  filesField,
  formatsField,
  hostField,
  methodsField,
  outputField,
  priorityField,
} from "./fields.ts";
import { contradiction } from "./contradiction.ts";

export { restMethods } from "./fields.ts";

/** A service at a path, for clients that speak HTTP. */
export const restChannel = defineKind({
  kind: "RestChannel",
  group: "channel",
  description: "Exposes a service, or files, over HTTP, at a path",
  schema: z.strictObject({
    path: pathField.meta({
      description:
        "Where the service is; {name} is one segment, {name:int} one that fits the type " +
        "(bool, int, uuid, date, number, word), {name*} at the end is all the rest",
      example: "/customers/{id}",
    }),
    methods: methodsField.default(["GET", "POST"]).meta({
      description: "Methods that the channel takes; HEAD comes with GET",
      example: ["GET"],
    }),
    host: hostField.optional().meta({
      description: "The host that requests must be for, or *. and what it ends in; default: any",
      example: "api.example.com",
    }),
    accept: acceptField.optional().meta({
      description: "A media type that clients must accept; tells channels at one path apart",
      example: "text/csv",
    }),
    service: z.string().min(1).optional().meta({
      description: "The service that is invoked",
      example: "crm.customer.get",
    }),
    files: filesField.optional().meta({
      description: "Files of the server's disk that are served instead of a service",
      example: { directory: "/srv/www", fallback: "index.html" },
    }),
    security: securityField,
    ...requestFields,
    formats: formatsField.default(["json", "form"]).meta({
      description: "Data formats of request bodies; form takes multipart forms as well",
      example: ["json", "csv"],
    }),
    output: outputField.default("json").meta({
      description: "Data format of answers, or several among which Accept chooses, the first first",
      example: ["json", "csv"],
    }),
    bodyField: z.string().min(1).max(200).optional().meta({
      description: "The input field that takes the whole body, such as a text or CSV records",
      example: "records",
    }),
    merge: z.boolean().default(true).meta({
      description:
        "Whether path, query and body make one input; false: { path, query, body } apart",
      example: true,
    }),
    priority: priorityField.default(["path", "query", "body"]).meta({
      description: "Which source wins when several have a field of the same name, the first first",
      example: ["body", "path", "query"],
    }),
    queryMax: z.int().min(0).max(65_536).default(8_192).meta({
      description: "Longest query; longer ones are answered 414",
      unit: "characters",
      example: 8_192,
    }),
    headersMax: z.int().min(1).max(100).optional().meta({
      description: "Most headers a request may have; default: what the server takes, 100",
      example: 50,
    }),
    headerBytesMax: z.int().min(100).max(1_048_576).optional().meta({
      description: "Longest headers, all together; default: what the server takes",
      unit: "bytes",
      example: 16_384,
    }),
    etag: z.boolean().default(false).meta({
      description: "Whether answers to GET carry an ETag of their content, so that clients who " +
        "have it already get 304",
      example: true,
    }),
    compress: z.boolean().default(false).meta({
      description: "Whether answers are compressed (brotli, gzip) for clients that take it",
      example: true,
    }),
    cors: corsFields.optional().meta({
      description: "Pages of other origins that may call from a browser; default: none",
      example: { origins: ["https://shop.example.com"] },
    }),
    cache: responseCacheFields.optional().meta({
      description: "Answers to GET that are kept and given again; default: none",
      example: { ttlMs: 30_000 },
    }),
    ...edgeFields,
    documented: z.boolean().default(true).meta({
      description: "Whether the channel is described at /dragoman/openapi.json",
      example: true,
    }),
    description: z.string().max(1_000).optional().meta({
      description: "What the channel is for, for people",
      example: "Customers for the web shop",
    }),
  }).superRefine(requireRoleGivers).superRefine((spec, context) => {
    const found = contradiction(spec);
    if (found !== undefined) context.addIssue({ code: "custom", ...found });
  }),
  references: [
    { field: "service", to: "Service" },
    { field: "security", to: "security" },
    { field: "rateLimits", to: { kind: "RateLimit" } },
  ],
  claims: ({ path, methods, host, accept, files }) =>
    claimPath({
      path,
      // Files are only read.
      methods: files === undefined ? methods : ["GET"],
      host,
      accept,
      takesDirectories: files?.directory !== undefined,
    }),
});

/** A RestChannel's spec, validated. */
export type RestChannelSpec = z.output<typeof restChannel.schema>;
