import { z } from "zod";
import { describeIssues } from "../../config/yaml-source.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { isHost } from "../address.ts";
import type { Registration } from "../api.ts";

/** Listening there means every address; connecting there means whatever machine one is on. */
const wildcards = ["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "0000:0000:0000:0000:0000:0000:0000:0000"];

const registrationSchema = z.strictObject({
  host: z.string()
    .refine(isHost, "neither an IP address nor a host name")
    .refine((host) => !wildcards.includes(host), "an address to listen on, not to connect to"),
  port: z.int().min(1).max(65_535),
  tls: z.boolean().optional(),
  weightPort: z.int().min(1).max(65_535).optional(),
});

/** Checks the body of a registration. Throws BALANCER_BAD_REGISTRATION. */
export function parseRegistration(body: unknown): Registration {
  const result = registrationSchema.safeParse(body ?? {});
  if (result.success) return result.data;
  const reason = describeIssues(result.error, registrationSchema)
    .map((issue) => issue.reason).join("; ");
  throw new PlatformError("BALANCER_BAD_REGISTRATION", { reason });
}

/** Checks the name of a server. Throws BALANCER_BAD_NAME. */
export function parseServerName(name: string | undefined): string {
  if (name !== undefined && /^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name)) return name;
  throw new PlatformError("BALANCER_BAD_NAME");
}
