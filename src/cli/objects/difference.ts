import type { ApplyChange, FieldChange } from "../../admin-api/api.ts";
import type { SecretProblem } from "../cluster/secret-references.ts";
import { paint } from "../output.ts";
import type { LoadedDocument } from "./documents.ts";
import type { SendResult } from "./send-documents.ts";

/** What apply would do with one object. */
export interface ObjectDifference {
  readonly kind: string;
  readonly name: string;
  readonly action: ApplyChange["action"];
  /** `file:line:column`; absent for an object that no file names. */
  readonly where?: string;
  readonly fields: readonly FieldDifference[];
}

/** `unknown`: the secret's own value could not be read, and `reason` says why. */
export type FieldDifference =
  | FieldChange
  | { readonly field: string; readonly secret: "unknown"; readonly reason: string };

/** Puts what the cluster answered to a comparison beside where the documents stand. */
export function differencesOf(
  documents: readonly LoadedDocument[],
  { result, unknown }: SendResult,
): readonly ObjectDifference[] {
  return result.changes.map(({ kind, name, action, fields = [] }, index) => {
    const document = documents[index]; // the deletions come after all of them
    if (document === undefined) return { kind, name, action, fields };
    const where = document.source.locate(["name"]);
    return { kind, name, action, where, fields: withUnknown(fields, unknown.get(document) ?? []) };
  });
}

function withUnknown(
  fields: readonly FieldChange[],
  unknown: readonly SecretProblem[],
): readonly FieldDifference[] {
  const known = fields.filter(({ field }) => !unknown.some((problem) => problem.field === field));
  const others = unknown.map(({ field, reason }) =>
    ({ field, secret: "unknown", reason }) as const
  );
  return [...known, ...others];
}

/** True when apply would change something. */
export function differs(differences: readonly ObjectDifference[]): boolean {
  return differences.some(({ action }) => action !== "unchanged");
}

const signs = { created: "+", updated: "~", deleted: "-", unchanged: " " } as const;
const styles = { created: "green", updated: "yellow", deleted: "red", unchanged: "dim" } as const;

/** The differences as people read them: one block for each object, then a count. */
export function renderDifferences(
  differences: readonly ObjectDifference[],
  { colour }: { readonly colour: boolean },
): string {
  const blocks = differences.filter(isTold).map((difference) => {
    const { kind, name, action, where } = difference;
    const head = `${signs[action]} ${kind} ${name}`;
    const place = where === undefined ? "no file names it" : where;
    const lines = difference.fields.filter((field) => action !== "unchanged" || isUnknown(field))
      .map((field) => `    ${renderField(field, action)}`);
    return [`${colour ? paint(styles[action], head) : head}  (${place})`, ...lines].join("\n");
  });
  const count = (action: ApplyChange["action"]) =>
    differences.filter((difference) => difference.action === action).length;
  const total = `${count("created")} to create, ${count("updated")} to update, ` +
    `${count("deleted")} to delete, ${count("unchanged")} unchanged`;
  return [...blocks, total].join("\n");
}

function isTold({ action, fields }: ObjectDifference): boolean {
  return action !== "unchanged" || fields.some(isUnknown);
}

function isUnknown(field: FieldDifference): boolean {
  return "secret" in field && field.secret === "unknown";
}

function renderField(field: FieldDifference, action: ApplyChange["action"]): string {
  if ("secret" in field) {
    if (field.secret === "unknown") return `${field.field}: unknown secret; ${field.reason}`;
    return action === "created"
      ? `${field.field}: secret`
      : `${field.field}: secret, ${field.secret}`;
  }
  const { before, after } = field;
  if (action === "created") return `${field.field}: ${text(after)}`;
  return `${field.field}: ${text(before)} -> ${text(after)}`;
}

function text(value: unknown): string {
  if (value === undefined) return "(not set)";
  const json = JSON.stringify(value);
  // A long text, such as a WSDL, is told apart by its ends.
  return json.length <= 200 ? json : `${json.slice(0, 120)}... (${json.length} characters)`;
}
