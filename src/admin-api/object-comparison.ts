import { isDeepStrictEqual } from "node:util";
import type { Kind } from "../catalog/kind.ts";
import { secretFields } from "../security/secrets.ts";
import type { FieldChange } from "./api.ts";

type Spec = Readonly<Record<string, unknown>>;

/**
 * The fields in which two stored specs of a kind differ, in the order of the kind's schema. Secrets
 * are told as changed or unchanged, never by value; `given` says which of them the caller named.
 */
export function compareSpecs(
  kind: Kind,
  { before, after, given }: {
    readonly before: Spec | undefined;
    readonly after: Spec | undefined;
    readonly given: Spec;
  },
): readonly FieldChange[] {
  const secrets = secretFields(kind);
  const fields = Object.keys(kind.schema.shape);
  return fields.flatMap((field): readonly FieldChange[] => {
    if (!secrets.has(field)) return compareValues(field, before?.[field], after?.[field]);
    const isSame = before?.[field] === after?.[field];
    if (isSame && typeof given[field] !== "string") return [];
    return [{ field, secret: isSame ? "unchanged" : "changed" }];
  });
}

function compareValues(field: string, before: unknown, after: unknown): readonly FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isRecord(before) && isRecord(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => compareValues(`${field}.${key}`, before[key], after[key]));
  }
  return [{
    field,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  }];
}

function isRecord(value: unknown): value is Spec {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
