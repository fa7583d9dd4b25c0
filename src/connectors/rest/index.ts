import { z } from "zod";
import { defineKind, type NamedSpec } from "../../catalog/kind.ts";
import { parsePathTemplate } from "./path-template.ts";

/** Methods that a channel can take. HEAD is answered for GET, OPTIONS for every path. */
export const restMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

const path = z.string().max(1_000).superRefine((text, context) => {
  const template = parsePathTemplate(text);
  if (typeof template === "string") context.addIssue({ code: "custom", message: template });
});

const methods = z.array(z.enum(restMethods)).min(1).refine(
  (list) => new Set(list).size === list.length,
  "A method stands twice in the list",
);

const securityAdvice = 'Say "none", or list the security definitions of which any one suffices';
const security = z.union([
  z.literal("none"),
  z.array(z.string().min(1)).min(1, securityAdvice).refine(
    (names) => !names.includes("none"),
    securityAdvice,
  ),
], { error: securityAdvice });

/** A service at a path, for clients that speak HTTP. */
export const restChannel = defineKind({
  kind: "RestChannel",
  group: "channel",
  description: "Exposes a service over HTTP, at a path",
  schema: z.strictObject({
    path: path.meta({
      description:
        "Where the service is; {name} is one segment, {name*} at the end is all the rest",
      example: "/customers/{id}",
    }),
    methods: methods.default(["GET", "POST"]).meta({
      description: "Methods that the channel takes; HEAD comes with GET",
      example: ["GET"],
    }),
    service: z.string().min(1).meta({
      description: "The service that is invoked",
      example: "crm.customer.get",
    }),
    security: security.meta({
      description: 'Security definitions of which any one suffices, or "none"',
      example: ["crm-key"],
    }),
    active: z.boolean().default(true).meta({
      description: "Whether the channel is served; its path answers 404 while it is not",
      example: true,
    }),
    timeoutMs: z.int().min(1).max(86_400_000).optional().meta({
      description: "Longest time a request may take; default: the service's own, else the server's",
      example: 5_000,
    }),
    bodyBytesMax: z.int().min(0).max(1_073_741_824).optional().meta({
      description: "Largest request body; default: the server's limit",
      unit: "bytes",
      example: 1_048_576,
    }),
    description: z.string().max(1_000).optional().meta({
      description: "What the channel is for, for people",
      example: "Customers for the web shop",
    }),
  }),
  references: [{ field: "service", to: "Service" }, { field: "security", to: "security" }],
  conflict: findConflict,
});

/** A RestChannel's spec, validated. */
export type RestChannelSpec = z.output<typeof restChannel.schema>;

function findConflict(
  spec: { readonly path: string; readonly methods: readonly string[] },
  others: readonly NamedSpec[],
): string | undefined {
  const shape = shapeOf(spec.path);
  for (const { name, spec: other } of others) {
    if (shapeOf(other["path"]) !== shape) continue;
    const taken = Array.isArray(other["methods"]) ? other["methods"] : [];
    const both = spec.methods.filter((method) => taken.includes(method));
    if (both.length > 0) {
      return `The channel "${name}" already takes ${both.join(", ")} at "${other["path"]}"`;
    }
  }
  return undefined;
}

// Applying many channels at once compares each with each: every path is read once.
const shapes = new Map<unknown, string | undefined>();
const shapesMax = 50_000;

function shapeOf(path: unknown): string | undefined {
  if (shapes.has(path)) return shapes.get(path);
  if (shapes.size >= shapesMax) shapes.clear();
  const template = typeof path === "string" ? parsePathTemplate(path) : "";
  const shape = typeof template === "string" ? undefined : template.shape;
  shapes.set(path, shape);
  return shape;
}
