import type { ApplyResult } from "../../admin-api/api.ts";
import { type ObjectText, parseDocuments } from "../objects/documents.ts";
import { sendDocuments } from "../objects/send-documents.ts";
import { type Environment, withAdmin } from "./environment.ts";

/**
 * Applies the objects of a YAML text, all or none. Every refusal names file, line and column.
 * Throws CONFIG_*, CLI_DOCUMENT, CLI_SECRET_REFERENCE, and what the admin API answers.
 */
export async function applyObjects(
  environment: Environment,
  text: ObjectText,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ApplyResult> {
  const documents = parseDocuments([text]);
  return await withAdmin(environment, async (client) => {
    const { result } = await sendDocuments(client, documents, { mode: "apply", env });
    return result;
  });
}
