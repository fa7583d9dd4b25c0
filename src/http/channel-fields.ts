import { z } from "zod";
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
