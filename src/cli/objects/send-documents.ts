import { z } from "zod";
import type { ApplyRequest, ApplyResult, KindList, ObjectDeletion } from "../../admin-api/api.ts";
import type { ObjectDocument } from "../../catalog/kind.ts";
import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import { nearestName } from "../../lib/nearest-name.ts";
import type { JsonClient } from "../../mtls/client.ts";
import {
  requireSecrets,
  type ResolvedSecrets,
  resolveSecrets,
  type SecretProblem,
} from "../cluster/secret-references.ts";
import type { LoadedDocument } from "./documents.ts";

export interface SendOptions {
  /**
   * `dry run`: say what would change; `compare`: also say which fields, and do without secrets that
   * cannot be read.
   */
  readonly mode: "apply" | "dry run" | "compare";
  /** Deleted in the same transaction. */
  readonly deletions?: readonly ObjectDeletion[];
  /** For `${env:NAME}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What the cluster made of documents. */
export interface SendResult {
  readonly result: ApplyResult;
  readonly warnings: readonly string[];
  /** With `compare`: secrets that could not be read, by document. */
  readonly unknown: ReadonlyMap<LoadedDocument, readonly SecretProblem[]>;
}

/**
 * Hands documents to the cluster, all or none. Every refusal names file, line and column. Throws
 * CLI_DOCUMENT, CLI_SECRET_REFERENCE, and what the admin API answers.
 */
export async function sendDocuments(
  client: JsonClient,
  documents: readonly LoadedDocument[],
  { mode, deletions = [], env }: SendOptions,
): Promise<SendResult> {
  const { kinds } = await client.get<KindList>("/v1/kinds");
  const schemas = new Map(kinds.map(({ kind, schema }) => [kind, schema]));
  const resolved = await Promise.all(documents.map(async ({ document, source }) => {
    const schema = schemaOf(schemas, { document, source });
    return await resolveSecrets(document.spec, { schema, source, env });
  }));
  if (mode !== "compare") resolved.forEach(requireSecrets);
  const request: ApplyRequest = {
    objects: documents.map(({ document }, index) => withSpec(document, resolved[index]!)),
    ...(deletions.length === 0 ? {} : { delete: deletions }),
    ...(mode === "dry run" ? { dryRun: true } : {}),
    ...(mode === "compare" ? { compare: true } : {}),
  };
  try {
    const result = await client.post<ApplyResult>("/v1/apply", request);
    return {
      result,
      warnings: resolved.flatMap(({ inClear }) =>
        inClear.map(({ where, reason }) => `${where}: ${reason}`)
      ),
      unknown: new Map(documents.map((document, index) => [document, resolved[index]!.unknown])),
    };
  } catch (error) {
    throw located(error, documents);
  }
}

function withSpec(document: ObjectDocument, { spec }: ResolvedSecrets): ObjectDocument {
  return { ...document, spec };
}

function schemaOf(
  schemas: ReadonlyMap<string, unknown>,
  { document: { kind }, source }: LoadedDocument,
): unknown {
  if (schemas.has(kind)) return schemas.get(kind);
  const names = [...schemas.keys()];
  const near = nearestName(kind, names);
  const hint = near === undefined ? `known are ${names.join(", ")}` : `did you mean "${near}"?`;
  const reason = `Unknown kind "${kind}"; ${hint}`;
  throw new PlatformError("CLI_DOCUMENT", { where: source.locate(["kind"]), reason });
}

// The forms in which the admin API says which document it refused, and which field of it.
const byIndex = z.object({
  index: z.int().min(0),
  path: z.array(z.union([z.string(), z.number()])).default([]),
});
const byName = z.object({ kind: z.string(), name: z.string(), field: z.string().optional() });
const refusal = z.union([
  byIndex,
  byName,
  z.object({ missing: z.array(byName).min(1) }).transform(({ missing }) => missing[0]!),
]);

/** Puts file, line and column before what the cluster says of a document. */
function located(error: unknown, documents: readonly LoadedDocument[]): unknown {
  if (!isPlatformError(error)) return error;
  const place = refusal.safeParse(error.details);
  if (!place.success) return error;
  const { data } = place;
  const found = "index" in data
    ? documents[data.index]
    : documents.find(({ document }) => document.kind === data.kind && document.name === data.name);
  if (found === undefined) return error;
  const path = "index" in data
    ? data.path
    : data.field === undefined
    ? ["name"]
    : ["spec", data.field];
  return new PlatformError(
    "CLI_DOCUMENT",
    { where: found.source.locate(path), reason: error.message },
    { cause: error, ...(error.advice === undefined ? {} : { advice: error.advice }) },
  );
}
