import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { KindInfo, ObjectView } from "../../admin-api/api.ts";
import { apiVersion, type ObjectDocument } from "../../catalog/kind.ts";

const kindFields = z.object({
  properties: z.record(z.string(), z.looseObject({ default: z.unknown().optional() })),
});

/** An object as a file is to hold it, and the variables that its secrets are read from. */
export interface ExportedDocument {
  readonly document: ObjectDocument;
  readonly variables: readonly string[];
}

/**
 * Objects as files hold them: fields in the order of their kind's schema, those at their default
 * left out unless `defaults`, secrets as `${env:KIND_NAME_FIELD}`.
 */
export function exportDocuments(
  objects: readonly ObjectView[],
  kinds: readonly KindInfo[],
  { defaults }: { readonly defaults: boolean },
): readonly ExportedDocument[] {
  const taken = new Set<string>();
  const fieldsOf = new Map(kinds.map(({ kind, schema }) => {
    const parsed = kindFields.safeParse(schema);
    return [kind, parsed.success ? parsed.data.properties : {}] as const;
  }));
  return objects.map(({ kind, name, spec, secrets }) => {
    const fields = fieldsOf.get(kind) ?? {};
    const order = new Set([...Object.keys(fields), ...Object.keys(spec)]);
    const variables = new Map(
      secrets.map((field) => [field, variableName([kind, name, field], taken)]),
    );
    const entries = [...order].flatMap((field): readonly (readonly [string, unknown])[] => {
      const variable = variables.get(field);
      if (variable !== undefined) return [[field, `\${env:${variable}}`]];
      if (!Object.hasOwn(spec, field)) return [];
      const isDefault = isDeepStrictEqual(fields[field]?.default, spec[field]);
      return isDefault && !defaults ? [] : [[field, spec[field]]];
    });
    return {
      document: { apiVersion, kind, name, spec: Object.fromEntries(entries) },
      variables: [...variables.values()],
    };
  });
}

/** `ApiKey`, `crm-key`, `key` -> `API_KEY_CRM_KEY_KEY`, with a number when that is taken. */
function variableName(parts: readonly string[], taken: Set<string>): string {
  const words = parts.map((part) => part.replace(/([a-z0-9])(?=[A-Z])/g, "$1_"));
  const base = words.join("_").replace(/[^A-Za-z0-9]+/g, "_").toUpperCase();
  let name = base;
  for (let count = 2; taken.has(name); count++) name = `${base}_${count}`;
  taken.add(name);
  return name;
}

/** The document's YAML; long texts stay as they are. */
export async function renderDocument({ document }: ExportedDocument): Promise<string> {
  const { stringify } = await import("yaml");
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}
