import { z } from "zod";

/** `ca/config.yaml`. Secret beside it: `ca-password`. */
export const caConfigSchema = z.strictObject({
  /** The authority's own name, in its certificate's subject (CN and O). */
  commonName: z.string().min(1).max(64).default("Dragoman development CA"),
  organization: z.string().min(1).max(64).default("Dragoman"),
  /** How long the authority's own certificate is valid. */
  validityDays: z.int().min(1).max(36_500).default(3_650),
});
export type CaConfig = z.infer<typeof caConfigSchema>;
