import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Breakage, breakages } from "./breakages.ts";
import { runSchedule } from "./schedule.ts";

// Runs many schedules on several processes, or one with a trace. Exits with 1 when a promise was
// broken, and says which seed to replay.

/** What one process did; also what it sends to the one that counts. */
interface Tally {
  schedules: number;
  events: number;
  virtualMs: number;
  terms: number;
  runs: number;
  violation: { readonly seed: number; readonly text: string } | undefined;
}

const usage = `simulate [--schedules N] [--from SEED] [--processes N] [--break WHAT]
simulate --seed SEED [--break WHAT]

--schedules N  How many random schedules (default 1000000)
--from SEED    The first seed (default: another one each time)
--processes N  How many at a time (default: one for each core)
--seed SEED    Replays one schedule and prints what happens in it
--break WHAT   Builds a bug in: ${breakages.join(", ")}`;

const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "1000000" },
    from: { type: "string" },
    processes: { type: "string" },
    seed: { type: "string" },
    break: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

function numberOf(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  console.error(`"${text}" is not a number\n\n${usage}`);
  process.exit(2);
}

function breakageOf(text: string | undefined): Breakage | undefined {
  const found = breakages.find((name) => name === text);
  if (found !== undefined || text === undefined) return found;
  console.error(`There is no way to break it that is called "${text}"\n\n${usage}`);
  process.exit(2);
}

/** Until one breaks a promise. */
function runMany(from: number, count: number, breakage: Breakage | undefined): Tally {
  const tally: Tally = {
    schedules: 0,
    events: 0,
    virtualMs: 0,
    terms: 0,
    runs: 0,
    violation: undefined,
  };
  for (let seed = from; seed < from + count && tally.violation === undefined; seed++) {
    const { violation, events, virtualMs, terms, runs } = runSchedule(seed, { breakage });
    tally.schedules += 1;
    tally.events += events;
    tally.virtualMs += virtualMs;
    tally.terms += terms;
    tally.runs += runs;
    if (violation !== undefined) tally.violation = { seed, text: violation };
  }
  return tally;
}

function replay(seed: number, breakage: Breakage | undefined): number {
  const { violation } = runSchedule(seed, { breakage, onLine: (line) => console.log(line) });
  console.log(violation === undefined ? `Seed ${seed}: all promises kept` : `Seed ${seed} failed`);
  return violation === undefined ? 0 : 1;
}

/** One process's share; rejects when it is not wanted any more. */
function share(from: number, count: number, signal: AbortSignal): Promise<Tally> {
  const { promise, resolve, reject } = Promise.withResolvers<Tally>();
  const child = fork(fileURLToPath(import.meta.url), [
    `--from=${from}`,
    `--schedules=${count}`,
    ...(values.break === undefined ? [] : [`--break=${values.break}`]),
  ], { env: { ...process.env, SIMULATION_SHARE: "1" }, signal });
  child.on("message", (tally) => resolve(tally as Tally)); // what this file sends below
  child.on("error", reject);
  child.on("exit", (code) => reject(new Error(`A process ended with ${code} before its result`)));
  return promise;
}

async function runAll(): Promise<number> {
  const count = numberOf(values.schedules);
  const processes = numberOf(values.processes ?? String(availableParallelism()));
  const from = numberOf(values.from ?? String(Math.floor(Math.random() * 2 ** 31)));
  const begun = performance.now();
  const each = Math.ceil(count / processes);
  const stop = new AbortController();
  const shares = Array.from({ length: processes }, async (_, index) => {
    const size = Math.min(each, count - index * each);
    const tally = await share(from + index * each, size, stop.signal);
    if (tally.violation !== undefined) stop.abort();
    return tally;
  });
  const ended = await Promise.allSettled(shares);
  const tallies = ended.flatMap((one) => one.status === "fulfilled" ? one.value : []);
  const lost = ended.find((one) => one.status === "rejected");
  if (lost !== undefined && !stop.signal.aborted) throw lost.reason;
  const total = (field: "schedules" | "events" | "virtualMs" | "terms" | "runs") =>
    tallies.reduce((sum, tally) => sum + tally[field], 0);
  const hours = total("virtualMs") / 3_600_000;
  console.log(
    `${total("schedules")} schedules from seed ${from}: ${total("events")} events, ` +
      `${hours.toFixed(0)} h of virtual time, ${total("terms")} terms of leases, ` +
      `${total("runs")} ended runs, in ${((performance.now() - begun) / 1_000).toFixed(0)} s`,
  );
  const failed = tallies.find(({ violation }) => violation !== undefined)?.violation;
  if (failed === undefined) {
    console.log("All promises kept");
    return 0;
  }
  replay(failed.seed, breakageOf(values.break));
  const how = values.break === undefined ? "" : ` --break ${values.break}`;
  console.log(`\nBROKEN: ${failed.text}\nReplay: npm run simulate -- --seed ${failed.seed}${how}`);
  return 1;
}

if (values.help) {
  console.log(usage);
} else if (process.env["SIMULATION_SHARE"] !== undefined) {
  const count = numberOf(values.schedules);
  const tally = runMany(numberOf(values.from ?? "0"), count, breakageOf(values.break));
  // It ends when the message is on its way.
  process.send?.(tally, undefined, {}, () => process.disconnect?.());
} else if (values.seed !== undefined) {
  process.exitCode = replay(numberOf(values.seed), breakageOf(values.break));
} else {
  breakageOf(values.break);
  process.exitCode = await runAll();
}
