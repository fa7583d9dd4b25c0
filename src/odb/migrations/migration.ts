import type { Backend } from "../drivers/backend.ts";

/**
 * One step of the schema. Forward only, and never changed once released. Statements must bear
 * being run again over a half-finished run of theirs (`if not exists`), because MySQL commits each
 * `create table` by itself.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  statements(backend: Pick<Backend, "types" | "addColumn">): readonly string[];
}
