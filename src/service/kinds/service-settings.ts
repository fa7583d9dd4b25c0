import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { logLevels } from "../../telemetry/logger.ts";

/** What operators set for a service while it runs, without its author. */
export const serviceSettings = defineKind({
  kind: "ServiceSettings",
  group: "data",
  description: "Sets log level and limits of a service, or switches it off, while it runs",
  schema: z.strictObject({
    service: z.string().min(1).meta({
      description: "The service; the object has the same name",
      example: "crm.customer.get",
    }),
    active: z.boolean().default(true).meta({
      description: "False: calls are refused with SERVICE_INACTIVE, over HTTP status 503",
      example: true,
    }),
    logLevel: z.enum(logLevels).optional().meta({
      description: "From which level on ctx.log writes; default: the server's",
      example: "debug",
    }),
    timeoutMs: z.int().min(1).max(86_400_000).optional().meta({
      description: "Longest time a call may take; default: what the service says",
      example: 5_000,
    }),
    slowMs: z.int().min(1).max(86_400_000).optional().meta({
      description: "Calls that take longer are logged as warnings; default: what the service says",
      example: 1_000,
    }),
    maxConcurrent: z.int().min(1).max(100_000).optional().meta({
      description: "Calls that run at the same time in one worker; default: what the service says",
      example: 20,
    }),
    queueMax: z.int().min(0).max(1_000_000).optional().meta({
      description: "Calls that wait while maxConcurrent run, others get 503; default: what the " +
        "service says, else 100",
      example: 100,
    }),
  }),
  references: [{ field: "service", to: "Service" }],
  // So that there is one for each service, found by its name.
  conflict: ({ service }, _others, name) =>
    name === service ? undefined : `Settings have the name of their service, here "${service}"`,
});

/** A ServiceSettings object's spec, validated. */
export type ServiceSettingsSpec = ReturnType<typeof serviceSettings.schema.parse>;
