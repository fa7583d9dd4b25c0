import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";

/** How often somebody may come; channels name it in `rateLimits`. */
export const rateLimit = defineKind({
  kind: "RateLimit",
  group: "data",
  description: "How many requests a client, an address or a key may send in a time",
  schema: z.strictObject({
    by: z.enum(["address", "principal", "header", "channel"]).default("principal").meta({
      description:
        "What is counted apart: client addresses, clients that were let in (addresses where nobody has to be), values of a header, or nothing (the whole channel)",
      example: "principal",
    }),
    header: z.string().min(1).max(100).optional().meta({
      description: "The header whose values are counted apart, with by: header",
      example: "X-Tenant",
    }),
    requests: z.int().min(1).max(1_000_000).meta({
      description: "Requests in each `perMs`, once the burst is used up",
      example: 100,
    }),
    perMs: z.int().min(1).max(86_400_000).default(1_000).meta({
      description: "The time that `requests` is meant for",
      example: 60_000,
    }),
    burst: z.int().min(1).max(1_000_000).optional().meta({
      description: "Requests that may come at once after a pause; default: `requests`",
      example: 20,
    }),
    scope: z.enum(["cluster", "worker"]).default("cluster").meta({
      description:
        "Counted together by all servers (in the KVDB; apart while that is gone), or by each worker apart",
      example: "cluster",
    }),
    description: z.string().max(1_000).optional().meta({
      description: "What the limit is for, for people",
      example: "What the free plan includes",
    }),
  }).refine(({ by, header }) => (by === "header") === (header !== undefined), {
    message: 'Say which header with by: "header", and only then',
    path: ["header"],
  }),
  references: [],
});

/** A RateLimit's spec, validated. */
export type RateLimitSpec = z.output<typeof rateLimit.schema>;
