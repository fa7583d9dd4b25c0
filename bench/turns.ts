import { type Load, type LoadOptions, median, runLoad } from "./load.ts";

/** One thing to measure: a name and the requests to send. */
export type Contender = { readonly name: string } & Omit<LoadOptions, "seconds">;

/**
 * Measures in rounds that take turns, so that what else the machine does falls on all contenders
 * alike. Answers every round of each, by name.
 */
export async function measureInTurns(
  contenders: readonly Contender[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<ReadonlyMap<string, readonly Load[]>> {
  const loads = new Map<string, Load[]>(contenders.map(({ name }) => [name, []]));
  for (const contender of contenders) await runLoad({ ...contender, seconds: 2 });
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      loads.get(contender.name)!.push(await runLoad({ ...contender, seconds })); // made above
    }
  }
  return loads;
}

/** Prints one line for each contender, each compared with `base` in the same round. */
export function printTurns(
  loads: ReadonlyMap<string, readonly Load[]>,
  { title, base }: { readonly title: string; readonly base: string },
): void {
  console.log(`${title}\n`);
  const against = loads.get(base)!; // one of the contenders
  for (const [name, measured] of loads) {
    const middle = (field: keyof Load) => median(measured.map((load) => load[field]));
    const ratio = (field: keyof Load) =>
      median(measured.map((load, round) => load[field] / against[round]![field]));
    console.log([
      name.padEnd(44),
      `${Math.round(middle("requestsPerSecond")).toLocaleString("en")}/s`.padStart(12),
      `p99 ${middle("p99Ms").toFixed(2)} ms`.padStart(14),
      `${middle("cpuMicros").toFixed(1)} us CPU`.padStart(16),
      `  of "${base}": ${ratio("requestsPerSecond").toFixed(2)}`,
      `(CPU x ${ratio("cpuMicros").toFixed(2)})`,
    ].join(" "));
  }
  console.log("");
}
