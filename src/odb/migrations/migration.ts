import type { Backend } from "../drivers/backend.ts";

/**
 * One step of the schema. Forward only, and never changed once released. Statements must bear
 * being run again over a half-finished run of theirs (`if not exists`), because MySQL commits each
 * `create table` by itself.
 */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /**
   * A Dragoman that knows this version of the schema, or a later one, works on the schema as it is
   * after this step, though the step is unknown to it. Tables, and columns that have a default or
   * may be null, can be added under servers that run: then it is what the step before says. A step
   * that takes something away, or gives it another meaning, says its own `version`, and is worth
   * waiting for until no server is left that needs what it takes.
   */
  readonly needs: number;
  statements(backend: Pick<Backend, "types" | "addColumn">): readonly string[];
}
