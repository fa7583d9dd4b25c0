import { delay, poll } from "../../lib/wait.ts";
import { type LoadEntry, percentile } from "../load/ledger.ts";
import type { RawResponse } from "../load/raw-connection.ts";
import { formatMs, holds, none, noted, type PromiseRow, withinMs } from "../promises.ts";
import type { Scenario, Stage } from "../stage.ts";
import { workPath } from "../workload.ts";

/** How many times of what it can do the cluster is asked for. */
const overloadFactor = 3;
/** Of the good answers that it gives at its peak, so many are left. */
const goodputShare = 0.8;
/** A refusal comes within this. */
const refusedBoundMs = 50;
/** Everything is as before so soon after the overload. */
const recoveredBoundMs = 5_000;
/** Requests beside one another for each worker that find the peak: it always has a next one. */
const peakConcurrency = 3;
/** A shorter overload says nothing of how fast things go: other programs are in its figures. */
const measuredFromMs = 20_000;
/** What one request computes: some milliseconds. */
const rounds = 5_000_000;
/** What is looked at to see whether everything is as before. */
const windowMs = 500;

export const overload: Scenario = {
  name: "overload",
  summary: "Three times as many requests as the cluster can answer",
  jobs: 10,
  async rehearse(stage) {
    const before = stage.entries.slice();
    const fault = stage.begin(
      "The cluster is asked for all that it can do, then for three times as much",
      { mayRefuse: true },
    );
    const peak = await findPeak(stage);
    const rate = overloadFactor * peak;
    stage.say(`${Math.round(rate)} requests/s, where ${Math.round(peak)} are possible`);
    const seen = await sendWork(stage, { ratePerSecond: rate }, stage.dose.outageMs);
    const { overAtMs } = seen;
    const recoveredMs = await poll(() => recoveredAfter(stage.entries, before, overAtMs), {
      timeoutMs: 2 * recoveredBoundMs,
    });
    stage.end(fault, "The load is as before", overAtMs + (recoveredMs ?? recoveredBoundMs));
    return rows(stage, { peak, seen, recoveredMs });
  },
};

/** What became of the requests that cost computing. */
interface Seen {
  /** When the last one was sent. */
  readonly overAtMs: number;
  readonly goodPerSecond: number;
  readonly good: readonly LoadEntry[];
  readonly refused: readonly LoadEntry[];
  /** Refusals that do not say when to come again, or why. */
  readonly unclear: readonly string[];
  /** Neither: no whole answer, or another status. */
  readonly failed: readonly string[];
}

/** The good answers per second of a load that always waits for its answers. */
async function findPeak(stage: Stage): Promise<number> {
  const { cluster, dose } = stage;
  const states = await Promise.all(cluster.servers.map((server) => cluster.status(server)));
  const workers = states.reduce((sum, state) => sum + state.workers.length, 0);
  const concurrency = workers * peakConcurrency;
  const forMs = Math.min(10_000, dose.outageMs / 2);
  // What has never run is slow at first.
  await sendWork(stage, { concurrency }, forMs / 4);
  const { goodPerSecond } = await sendWork(stage, { concurrency }, forMs);
  return goodPerSecond;
}

async function sendWork(
  stage: Stage,
  load: { readonly concurrency?: number; readonly ratePerSecond?: number },
  forMs: number,
): Promise<Seen> {
  const over = new AbortController();
  const began = performance.now();
  const entries: LoadEntry[] = [];
  const unclear: string[] = [];
  const sending = stage.load(workPath, {
    ...load,
    method: "POST",
    body: JSON.stringify({ rounds }),
    signal: over.signal,
    onEnd: (entry, answer) => {
      entries.push(entry);
      if (isRefusal(entry) && !isClear(answer)) unclear.push(entry.id);
    },
  });
  await delay(forMs);
  over.abort();
  const overAtMs = performance.now();
  await sending;
  const good = entries.filter(({ outcome }) => outcome === "ok");
  const inTime = good.filter(({ endedAtMs }) => endedAtMs <= overAtMs);
  return {
    overAtMs,
    goodPerSecond: inTime.length / ((overAtMs - began) / 1_000),
    good,
    refused: entries.filter(isRefusal),
    unclear,
    failed: entries.filter((entry) => entry.outcome !== "ok" && !isRefusal(entry))
      .map(({ reason = "?" }) => reason),
  };
}

function isRefusal({ reason }: LoadEntry): boolean {
  return reason === "status 503" || reason === "status 429";
}

function isClear(answer: RawResponse | undefined): boolean {
  const { "retry-after": retryAfter = "", "content-type": type = "" } = answer?.headers ?? {};
  return /^\d+$/.test(retryAfter) && type.startsWith("application/problem+json");
}

/**
 * When the usual requests were answered as before for the first time after the overload, in
 * milliseconds since its end; undefined: they were not.
 */
function recoveredAfter(
  entries: readonly LoadEntry[],
  before: readonly LoadEntry[],
  overAtMs: number,
): number | undefined {
  const boundMs = 2 * durationAt(before, 0.9) + 5;
  // Of what was sent later, the slow answers are not there yet.
  const untilMs = performance.now() - boundMs - windowMs;
  for (let fromMs = overAtMs; fromMs <= untilMs; fromMs += windowMs) {
    const sent = entries.filter(({ sentAtMs }) =>
      sentAtMs >= fromMs && sentAtMs < fromMs + windowMs
    );
    const isGood = sent.length > 0 && sent.every(({ outcome }) => outcome === "ok");
    if (isGood && durationAt(sent, 0.9) <= boundMs) return fromMs - overAtMs;
  }
  return undefined;
}

function durationAt(entries: readonly LoadEntry[], share: number): number {
  const sorted = entries.map(({ sentAtMs, endedAtMs }) => endedAtMs - sentAtMs)
    .sort((a, b) => a - b);
  return percentile(sorted, share);
}

function rows(
  { dose }: Stage,
  { peak, seen, recoveredMs }: {
    readonly peak: number;
    readonly seen: Seen;
    readonly recoveredMs: number | undefined;
  },
): readonly PromiseRow[] {
  const { good, refused, goodPerSecond, unclear, failed } = seen;
  const share = goodPerSecond / peak;
  const figures = [
    holds(
      "Requests are refused, and others answered",
      refused.length > 0 && good.length > 0,
      `${refused.length} refused, ${good.length} answered`,
    ),
    holds(
      `Good answers per second, of ${Math.round(peak)} at the peak`,
      share >= goodputShare,
      `${Math.round(goodPerSecond)} (${Math.round(share * 100)} %)`,
    ),
    withinMs("Of the refusals, 99 % within", durationAt(refused, 0.99), refusedBoundMs),
    withinMs("Everything is as before after", recoveredMs, recoveredBoundMs),
  ];
  return [
    ...(dose.outageMs >= measuredFromMs
      ? figures
      : figures.map(({ promise, measured }) => noted(promise, measured))),
    none("Refusals without Retry-After or a problem document", unclear),
    none("Requests neither answered nor refused", failed),
    noted(
      "Good answers after",
      `p50 ${formatMs(durationAt(good, 0.5))}, p99 ${formatMs(durationAt(good, 0.99))}`,
    ),
    noted("Refusals after", `p50 ${formatMs(durationAt(refused, 0.5))}`),
  ];
}
