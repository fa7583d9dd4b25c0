import { z } from "zod";
import type { KeyPolicy } from "./idempotency/key-ledger.ts";
import { roleList } from "../security/roles.ts";
import { parsePathTemplate } from "./path-template.ts";

/** Where a channel is. */
export const pathField = z.string().max(1_000).superRefine((text, context) => {
  const template = parsePathTemplate(text);
  if (typeof template === "string") context.addIssue({ code: "custom", message: template });
});

const securityAdvice = 'Say "none", or list the security definitions of which any one suffices';

/** Whom a channel lets in: saying nothing is not the same as letting everybody in. */
export const securityField = z.union([
  z.literal("none"),
  z.array(z.string().min(1)).min(1, securityAdvice).refine(
    (names) => !names.includes("none"),
    securityAdvice,
  ),
], { error: securityAdvice }).meta({
  description: 'Security definitions of which any one suffices, or "none"',
  example: ["crm-key"],
});

/** Fields that all channels over HTTP have alike. */
export const edgeFields = {
  rateLimits: z.array(z.string().min(1)).max(20).default([]).meta({
    description: "RateLimit objects that requests must keep to; all of them count",
    example: ["partners"],
  }),
  audit: z.boolean().default(false).meta({
    description: "Whether every request is a line in the log: who, what, when, with which outcome",
    example: true,
  }),
};

/** Fields of channels that answer each request of HTTP by itself. */
export const requestFields = {
  roles: roleList.optional().meta({
    description: "Roles of which a client must have one; others are answered 403",
    example: ["reader"],
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
  idempotencyKey: z.enum(["optional", "required"]).default("optional").meta({
    description: "Whether requests that may change something must carry an Idempotency-Key; " +
      "with a key a request is executed at most once, however often it is sent",
    example: "required",
  }),
  whenUnknown: z.enum(["refuse", "repeat"]).default("refuse").meta({
    description: "What becomes of a request with an Idempotency-Key that is sent again after " +
      "what executed it has died: 409, or it is executed again, maybe for the second time",
    example: "repeat",
  }),
};

/** What the fields of a channel say of idempotency keys. */
export function keyPolicy(
  { idempotencyKey, whenUnknown }: {
    readonly idempotencyKey: "optional" | "required";
    readonly whenUnknown: "refuse" | "repeat";
  },
): KeyPolicy {
  return {
    required: idempotencyKey === "required",
    repeatUnknown: whenUnknown === "repeat",
  };
}

/** Refuses roles where nobody is asked who he is. */
export function requireRoleGivers(
  { security, roles }: {
    readonly security: z.output<typeof securityField>;
    readonly roles?: readonly string[] | undefined;
  },
  context: z.RefinementCtx,
): void {
  if (security !== "none" || roles === undefined) return;
  context.addIssue({
    code: "custom",
    path: ["roles"],
    message: "Roles need a security definition that gives them",
  });
}
