import { z } from "zod";
import {
  apiVersion,
  type Kind,
  type KindRegistry,
  type NamedSpec,
  type ObjectDocument,
} from "../catalog/kind.ts";
import { withoutDefaults } from "../catalog/defaults.ts";
import { describeIssues } from "../config/yaml-source.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { didYouMean } from "../lib/nearest-name.ts";
import type { ObjectChange, ObjectReference } from "../odb/types.ts";
import { schemaWithoutSecrets, sealSpec, secretFields } from "../security/secrets.ts";
import type { AdminContext } from "./context.ts";

const documentSchema: z.ZodType<ObjectDocument> = z.strictObject({
  apiVersion: z.literal(apiVersion, `write "${apiVersion}"`),
  kind: z.string(),
  name: z.string(),
  spec: z.record(z.string(), z.unknown()),
});

/** The kind of that name. Throws CATALOG_UNKNOWN_KIND with the nearest one. */
export function kindOf(kinds: KindRegistry, name: string): Kind {
  const kind = kinds.get(name);
  if (kind !== undefined) return kind;
  throw new PlatformError("CATALOG_UNKNOWN_KIND", {
    kind: name,
    hint: didYouMean(name, kinds.keys()),
    kinds: [...kinds.keys()].join(", "),
  });
}

/** A document as a change of the ODB. */
export interface PlannedPut {
  readonly change: Extract<ObjectChange, { readonly op: "put" }>;
  /** What the caller wrote, secrets in clear. */
  readonly given: NamedSpec["spec"];
  /** What is stored now. */
  readonly before: NamedSpec["spec"] | undefined;
}

/**
 * Turns documents into changes of the ODB: checks form, kind, name and spec, seals secrets, and
 * finds the references. With `compare`, new objects may lack their secrets. Throws CATALOG_*;
 * `details.index` says which document, `details.path` which field.
 */
export async function planChanges(
  context: AdminContext,
  documents: readonly unknown[],
  { compare = false }: { readonly compare?: boolean } = {},
): Promise<readonly PlannedPut[]> {
  const seen = new Set<string>();
  const changes: PlannedPut[] = [];
  const stored = await storedSpecs(context, documents);
  for (const [index, value] of documents.entries()) {
    const document = parseDocument(value, index);
    const { name } = document;
    const kind = kindOf(context.kinds, document.kind);
    const key = `${kind.kind}/${name}`;
    if (seen.has(key)) throw new PlatformError("CATALOG_DUPLICATE", { kind: kind.kind, name });
    seen.add(key);
    changes.push(
      await planPut(context, kind, { document, index, compare, before: stored.get(key) }),
    );
  }
  return changes;
}

function parseDocument(value: unknown, index: number): ObjectDocument {
  const result = documentSchema.safeParse(value);
  if (!result.success) {
    const [issue] = describeIssues(result.error, documentSchema);
    throw new PlatformError("CATALOG_DOCUMENT", {
      index: index + 1,
      reason: issue?.reason ?? "not an object",
    }, { details: { index, path: issue?.path ?? [] } });
  }
  if (!/^[a-z0-9][a-z0-9._/-]{0,199}$/i.test(result.data.name)) {
    throw new PlatformError("CATALOG_NAME", { name: result.data.name.slice(0, 300) }, {
      details: { index, path: ["name"] },
    });
  }
  return result.data;
}

async function planPut(
  { kinds, clusterKey }: AdminContext,
  kind: Kind,
  { document: { name, spec }, index, compare, before }: {
    readonly document: ObjectDocument;
    readonly index: number;
    readonly compare: boolean;
    readonly before: NamedSpec["spec"] | undefined;
  },
): Promise<PlannedPut> {
  const valid = validateSpec(kind, { name, spec }, index);
  const lean = withoutDefaults(kind, valid);
  const complete = compare ? withAnySecrets(kind, lean, before) : lean;
  const sealed = await sealSpec(kind, complete, {
    key: clusterKey,
    name,
    ...(before === undefined ? {} : { previous: before }),
  });
  const references = referencesOf(kinds, kind, valid);
  const change = { op: "put" as const, kind: kind.kind, name, spec: sealed, references };
  return { change, given: spec, before };
}

/** What is stored under the names of the documents, as far as they have any, by kind and name. */
async function storedSpecs(
  { kinds, link }: AdminContext,
  documents: readonly unknown[],
): Promise<ReadonlyMap<string, NamedSpec["spec"]>> {
  const wanted = documents.flatMap((value) => {
    const { success, data } = documentSchema.safeParse(value);
    return success && kinds.has(data.kind) ? [data] : [];
  });
  const objects = await link.use(async (store) => {
    // A few are asked for one by one; of many, their kinds are read whole.
    if (wanted.length <= fewMax) {
      return await Promise.all(wanted.map(({ kind, name }) => store.getObject(kind, name)));
    }
    const names = [...new Set(wanted.map(({ kind }) => kind))];
    return (await Promise.all(names.map((kind) => store.listObjects(kind)))).flat();
  });
  return new Map(
    objects.filter((object) => object !== undefined)
      .map(({ kind, name, spec }) => [`${kind}/${name}`, spec]),
  );
}

/** Objects that are looked up one by one. */
const fewMax = 8;

/** Stands in for the secrets that nobody gave, in a change that is never carried out. */
function withAnySecrets(
  kind: Kind,
  spec: NamedSpec["spec"],
  before: NamedSpec["spec"] = {},
): NamedSpec["spec"] {
  const missing = [...secretFields(kind).keys()].filter((field) => {
    const isOptional = kind.schema.shape[field]?.safeParse(undefined).success === true;
    return !isOptional && spec[field] === undefined && before[field] === undefined;
  });
  return { ...spec, ...Object.fromEntries(missing.map((field) => [field, "not known"])) };
}

/** The spec with its defaults. Whether a secret may be left out is for sealing to say. */
function validateSpec(kind: Kind, { name, spec }: NamedSpec, index: number): NamedSpec["spec"] {
  const schema = schemaWithoutSecrets(kind);
  const result = schema.safeParse(spec);
  if (result.success) return result.data;
  const issues = describeIssues(result.error, schema);
  throw new PlatformError("CATALOG_INVALID", {
    kind: kind.kind,
    name,
    reason: issues.map((issue) => issue.reason).join("; "),
  }, { details: { index, path: ["spec", ...(issues[0]?.path ?? [])], issues } });
}

/** Everything that a spec refers to. */
export function referencesOf(
  kinds: KindRegistry,
  kind: Kind,
  spec: NamedSpec["spec"],
): ObjectReference[] {
  return kind.references.flatMap(({ field, to }) => {
    const value = spec[field];
    const targets = to === "Service"
      ? ["Service"]
      : typeof to === "object"
      ? [to.kind]
      : [...kinds.values()].filter(({ group }) => group === to).map((target) => target.kind);
    // "none" stands for no definition at all, as in `security: none`.
    return namesIn(value)
      .filter((name): name is string => typeof name === "string" && name !== "none")
      .map((name) => ({ field, kinds: targets, name }));
  });
}

function namesIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === "object" && value !== null ? Object.values(value) : [value];
}
