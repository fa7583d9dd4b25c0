import type { z } from "zod";
import { describeIssues } from "../config/yaml-source.ts";
import { PlatformError } from "../errors/platform-error.ts";
import type { ApiRequest } from "../mtls/json-api.ts";

/** The request's body, checked. Throws ADMIN_BODY with every problem. */
export function parseBody<S extends z.ZodType>(schema: S, { body }: ApiRequest): z.output<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issues = describeIssues(result.error, schema);
  const reason = issues.map((issue) => issue.reason).join("; ");
  throw new PlatformError("ADMIN_BODY", { reason }, { details: { issues } });
}
