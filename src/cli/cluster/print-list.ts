import type { CommandIo } from "../io.ts";
import { type OutputFormat, printResult, type Table } from "../output.ts";
import { loadEnvironment, withAdmin } from "./environment.ts";

interface ListInput {
  readonly env: string | undefined;
  readonly output: OutputFormat;
}

/** Asks a cluster for a list and prints it. Rejects as `loadEnvironment` and `withAdmin` do. */
export async function printList<T>(
  { env, output }: ListInput,
  io: CommandIo,
  { path, query = {}, table }: {
    /** Where the admin API has it. */
    readonly path: string;
    /** What is undefined is not asked. */
    readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
    /** The list as people read it. */
    readonly table: (rows: readonly T[]) => Table | string;
  },
): Promise<void> {
  const environment = await loadEnvironment({ env }, io);
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) given.set(name, String(value));
  }
  const from = given.size === 0 ? path : `${path}?${given}`;
  const rows = await withAdmin(environment, (client) => client.get<readonly T[]>(from));
  await printResult(io.stdout, output, { value: rows, table: table(rows) });
}
