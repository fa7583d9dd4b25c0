import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";

/** Settings that belong to the user's services rather than to the platform. */
export const userConfig = defineKind({
  kind: "UserConfig",
  group: "data",
  description: "Settings of your own services; ctx.config(name) reads them, always the latest",
  schema: z.strictObject({
    values: z.record(z.string().min(1).max(200), z.json()).default({}).meta({
      description: "Any JSON under names of your own; not for secrets, operators see it",
      example: { currency: "EUR", limits: { orders: 100 } },
    }),
    secret: z.string().min(1).max(100_000).optional().meta({
      description: "One secret, encrypted at rest; only services see it",
      secret: "encrypted",
      example: "${env:SHOP_SIGNING_KEY}",
    }),
    description: z.string().max(1_000).optional().meta({
      description: "What the settings are for, for people",
      example: "Limits of the web shop",
    }),
  }),
  references: [],
});

/** A UserConfig's spec, validated. */
export type UserConfigSpec = z.output<typeof userConfig.schema>;
