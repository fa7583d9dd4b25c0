import { z } from "zod";
import type { ApplyRequest, ApplyResult, KindList } from "../../admin-api/api.ts";
import { apiVersion, type ObjectDocument } from "../../catalog/kind.ts";
import { parseYaml, validateSource, type YamlSource } from "../../config/yaml-source.ts";
import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import { nearestName } from "../../lib/nearest-name.ts";
import { type Environment, withAdmin } from "./environment.ts";
import { resolveSecrets } from "./secret-references.ts";

const documentSchema = z.strictObject({
  apiVersion: z.literal(apiVersion, `write "${apiVersion}"`),
  kind: z.string().min(1, "name the kind of the object"),
  name: z.string().min(1, "give the object a name"),
  spec: z.record(z.string(), z.unknown()),
});

export interface ApplyOptions {
  /** Say what would change, and change nothing. */
  readonly dryRun: boolean;
  /** For `${env:NAME}`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Applies the objects of a YAML text, all or none. Every refusal names file, line and column.
 * Throws CONFIG_*, CLI_DOCUMENT, CLI_SECRET_REFERENCE, and what the admin API answers.
 */
export async function applyObjects(
  environment: Environment,
  source: { readonly text: string; readonly file: string },
  { dryRun, env }: ApplyOptions,
): Promise<ApplyResult> {
  const sources = parseYaml(source.text, source.file);
  if (sources.length === 0) {
    throw new PlatformError("CLI_DOCUMENT", { where: source.file, reason: "It holds no object" });
  }
  const documents = sources.map((document) => validateSource(documentSchema, document));
  refuseDuplicates(documents, sources);
  return await withAdmin(environment, async (client) => {
    const kinds = await client.get<KindList>("/v1/kinds");
    const objects: ObjectDocument[] = [];
    for (const [index, document] of documents.entries()) {
      objects.push(await prepare(document, { source: sources[index]!, kinds, env }));
    }
    const request: ApplyRequest = { objects, dryRun };
    try {
      return await client.post<ApplyResult>("/v1/apply", request);
    } catch (error) {
      throw located(error, sources);
    }
  });
}

async function prepare(
  document: z.output<typeof documentSchema>,
  { source, kinds, env }: {
    readonly source: YamlSource;
    readonly kinds: KindList;
    readonly env: ApplyOptions["env"];
  },
): Promise<ObjectDocument> {
  const kind = kinds.kinds.find((candidate) => candidate.kind === document.kind);
  if (kind === undefined) {
    const names = kinds.kinds.map((candidate) => candidate.kind);
    const near = nearestName(document.kind, names);
    const hint = near === undefined ? `known are ${names.join(", ")}` : `did you mean "${near}"?`;
    const reason = `Unknown kind "${document.kind}"; ${hint}`;
    throw new PlatformError("CLI_DOCUMENT", { where: source.locate(["kind"]), reason });
  }
  const spec = await resolveSecrets(document.spec, { schema: kind.schema, source, env });
  return { ...document, spec };
}

function refuseDuplicates(
  documents: readonly z.output<typeof documentSchema>[],
  sources: readonly YamlSource[],
): void {
  const places = new Map<string, string>();
  for (const [index, { kind, name }] of documents.entries()) {
    const where = sources[index]!.locate(["name"]);
    const first = places.get(`${kind}/${name}`);
    if (first !== undefined) {
      const reason = `${kind} "${name}" is defined twice, first at ${first}`;
      throw new PlatformError("CLI_DOCUMENT", { where, reason });
    }
    places.set(`${kind}/${name}`, where);
  }
}

const placeSchema = z.object({
  index: z.int().min(0),
  path: z.array(z.union([z.string(), z.number()])).default([]),
});

/** The server says which document and field it refused; here that becomes file, line and column. */
function located(error: unknown, sources: readonly YamlSource[]): unknown {
  if (!isPlatformError(error)) return error;
  const place = placeSchema.safeParse(error.details);
  const source = place.success ? sources[place.data.index] : undefined;
  if (!place.success || source === undefined) return error;
  const where = source.locate(place.data.path);
  return new PlatformError("CLI_DOCUMENT", { where, reason: error.message }, {
    cause: error,
    ...(error.advice === undefined ? {} : { advice: error.advice }),
  });
}
