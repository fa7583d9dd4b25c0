/**
 * What services accept as a schema: anything that follows Standard Schema v1
 * (https://standardschema.dev), such as zod, Valibot or ArkType.
 */
export interface Schema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validation<Output> | Promise<Validation<Output>>;
    /** Exists for the type checker only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema makes of a value. */
export type Validation<Output = unknown> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type that a schema takes in. */
export type SchemaInput<S extends Schema> = NonNullable<S["~standard"]["types"]>["input"];
/** The type that a schema gives back. */
export type SchemaOutput<S extends Schema> = NonNullable<S["~standard"]["types"]>["output"];

/** One problem of an input, as problem details (RFC 9457) show it. */
export interface FieldProblem {
  /** JSON Pointer (RFC 6901) to the field; empty for the whole value. */
  readonly pointer: string;
  readonly detail: string;
}

/** Says where each issue is as a JSON Pointer. */
export function describeIssues(issues: readonly SchemaIssue[]): readonly FieldProblem[] {
  return issues.map(({ message, path = [] }) => ({
    pointer: path.map((part) => `/${escapePointer(typeof part === "object" ? part.key : part)}`)
      .join(""),
    detail: message,
  }));
}

function escapePointer(key: PropertyKey): string {
  return String(key).replaceAll("~", "~0").replaceAll("/", "~1");
}
