import type { ClusterReadings } from "./readings.ts";

/** Workers report once a second, so shorter windows would swing between nothing and double. */
const windowMs = 5_000;

interface Sample {
  readonly atMs: number;
  readonly total: number;
}

/** Recent values of every counter, oldest first. */
export type CounterSamples = ReadonlyMap<string, readonly Sample[]>;

/** Names of counters. A new process counts from 0 again, so its id is part of the name. */
export const counterKey = {
  worker: (server: string, id: number, pid: number): string => `worker/${server}/${id}/${pid}`,
  balancer: (pid: number): string => `balancer/${pid}`,
  balanced: (pid: number, server: string): string => `balanced/${pid}/${server}`,
} as const;

/** Adds the counters of a look to the samples, dropping what is no longer needed. */
export function addSamples(before: CounterSamples, readings: ClusterReadings): CounterSamples {
  const atMs = Date.parse(readings.at);
  const samples = new Map<string, readonly Sample[]>();
  for (const [key, total] of countersOf(readings)) {
    const kept = (before.get(key) ?? []).filter((sample, index, all) =>
      // One sample from before the window stays: the rate counts from it.
      sample.total <= total && atMs - (all[index + 1]?.atMs ?? atMs) < windowMs &&
      atMs - sample.atMs < 3 * windowMs
    );
    samples.set(key, [...kept, { atMs, total }]);
  }
  return samples;
}

/** Growth per second over the last 5 seconds; null as long as there is only one sample. */
export function rateOf(samples: CounterSamples, key: string): number | null {
  const series = samples.get(key) ?? [];
  const first = series[0];
  const last = series.at(-1);
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
  return (last.total - first.total) * 1000 / (last.atMs - first.atMs);
}

function* countersOf({ servers, balancer }: ClusterReadings): Generator<[string, number]> {
  for (const { name, status } of servers) {
    for (const worker of status?.workers ?? []) {
      yield [counterKey.worker(name, worker.id, worker.pid), worker.requestsTotal];
    }
  }
  const status = balancer?.status;
  if (status === undefined) return;
  yield [counterKey.balancer(status.pid), status.requestsTotal];
  for (const server of status.servers) {
    yield [counterKey.balanced(status.pid, server.name), server.requestsTotal];
  }
}
