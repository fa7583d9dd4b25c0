import { z } from "zod";
import {
  apiVersion,
  type Kind,
  type KindRegistry,
  type NamedSpec,
  type ObjectDocument,
} from "../catalog/kind.ts";
import { describeIssues } from "../config/yaml-source.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { nearestName } from "../lib/nearest-name.ts";
import type { ObjectChange, ObjectReference } from "../odb/types.ts";
import { schemaWithoutSecrets, sealSpec } from "../security/secrets.ts";
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
  const near = nearestName(name, kinds.keys());
  throw new PlatformError("CATALOG_UNKNOWN_KIND", {
    kind: name,
    hint: near === undefined ? "" : `, did you mean "${near}"?`,
    kinds: [...kinds.keys()].join(", "),
  });
}

/**
 * Turns documents into changes of the ODB: checks form, kind, name and spec, seals secrets, and
 * finds the references. Throws CATALOG_*; `details.index` says which document, `details.path`
 * which field.
 */
export async function planChanges(
  context: AdminContext,
  documents: readonly unknown[],
): Promise<readonly ObjectChange[]> {
  const seen = new Set<string>();
  const changes: ObjectChange[] = [];
  for (const [index, value] of documents.entries()) {
    const document = parseDocument(value, index);
    const { name } = document;
    const kind = kindOf(context.kinds, document.kind);
    const key = `${kind.kind}/${name}`;
    if (seen.has(key)) throw new PlatformError("CATALOG_DUPLICATE", { kind: kind.kind, name });
    seen.add(key);
    changes.push(await planPut(context, kind, document, index));
  }
  return changes;
}

/** Asks each kind whether its objects can stand beside each other. For `ChangeOptions.check`. */
export function conflictCheck(kinds: KindRegistry, changes: readonly ObjectChange[]) {
  return (kindName: string, objects: readonly NamedSpec[]): void => {
    const kind = kinds.get(kindName);
    if (kind?.conflict === undefined) return;
    for (const { op, name } of changes.filter((change) => change.kind === kindName)) {
      const own = objects.find((object) => object.name === name);
      if (op === "delete" || own === undefined) continue;
      const others = objects.filter((object) => object !== own);
      const reason = kind.conflict(own.spec, others);
      if (reason !== undefined) {
        throw new PlatformError("CATALOG_CONFLICT", { kind: kindName, name, reason });
      }
    }
  };
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
  { kinds, link, clusterKey }: AdminContext,
  kind: Kind,
  { name, spec }: ObjectDocument,
  index: number,
): Promise<ObjectChange> {
  const previous = (await link.use((store) => store.getObject(kind.kind, name)))?.spec;
  const valid = validateSpec(kind, { name, spec }, index);
  const sealed = await sealSpec(kind, valid, {
    key: clusterKey,
    name,
    ...(previous === undefined ? {} : { previous }),
  });
  const references = referencesOf(kinds, kind, sealed);
  return { op: "put", kind: kind.kind, name, spec: sealed, references };
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

function referencesOf(
  kinds: KindRegistry,
  kind: Kind,
  spec: NamedSpec["spec"],
): ObjectReference[] {
  return kind.references.flatMap(({ field, to }) => {
    const value = spec[field];
    const targets = to === "Service"
      ? ["Service"]
      : [...kinds.values()].filter(({ group }) => group === to).map((target) => target.kind);
    // "none" stands for no definition at all, as in `security: none`.
    return (Array.isArray(value) ? value : [value])
      .filter((name): name is string => typeof name === "string" && name !== "none")
      .map((name) => ({ field, kinds: targets, name }));
  });
}
