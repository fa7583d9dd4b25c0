import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What servers really executed, by their own record: id -> how often. */
export interface Executions {
  readonly requests: ReadonlyMap<string, number>;
  /** By run id. */
  readonly ticks: ReadonlyMap<string, number>;
}

/**
 * Reads the files that the rehearsal's services append to, one for each worker process: lines
 * `request ID` and `tick ID`. A line that a killed process did not finish counts as begun.
 */
export async function readExecutions(directory: string): Promise<Executions> {
  const requests = new Map<string, number>();
  const ticks = new Map<string, number>();
  for (const name of (await readdir(directory)).filter((file) => file.endsWith(".executed"))) {
    for (const line of (await readFile(join(directory, name), "utf8")).split("\n")) {
      const [what, id] = line.split(" ");
      if (id === undefined || id === "") continue;
      const counts = what === "tick" ? ticks : requests;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return { requests, ticks };
}
