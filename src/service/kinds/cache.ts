import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";

/** A place for values that are dear to make and may be forgotten. */
export const cache = defineKind({
  kind: "Cache",
  group: "data",
  description: "Keeps values for services for a while; ctx.cache(name) reaches it",
  schema: z.strictObject({
    scope: z.enum(["worker", "cluster"]).default("worker").meta({
      description: "worker: fast, in the memory of each worker, each with values of its own; " +
        "cluster: in the KVDB, shared by all servers",
      example: "cluster",
    }),
    maxEntries: z.int().min(1).max(10_000_000).default(10_000).meta({
      description: "Most entries that are kept; worker: the least recently used goes first, " +
        "cluster: the one that would expire first",
      unit: "entries",
      example: 10_000,
    }),
    entryBytesMax: z.int().min(1).max(67_108_864).default(1_048_576).meta({
      description: "Largest value, as JSON; a larger one is refused",
      unit: "bytes",
      example: 65_536,
    }),
    bytesMax: z.int().min(1).max(17_179_869_184).default(33_554_432).meta({
      description: "Most memory that the values of a worker's cache take together; a cluster's " +
        "takes what the KVDB has",
      unit: "bytes",
      example: 33_554_432,
    }),
    ttlMs: z.int().min(1).max(2_592_000_000).default(300_000).meta({
      description: "How long a value is kept when a service does not say so itself",
      example: 60_000,
    }),
    extendOnGet: z.boolean().default(false).meta({
      description: "Whether reading a value begins its time anew",
      example: true,
    }),
    description: z.string().max(1_000).optional().meta({
      description: "What the cache is for, for people",
      example: "Customers of the CRM",
    }),
  }),
  references: [],
});

/** A Cache's spec, validated. */
export type CacheSpec = z.output<typeof cache.schema>;
