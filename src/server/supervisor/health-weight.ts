/** What a worker says of itself in its heartbeats. */
export interface Vitals {
  /** Requests that have no answer yet. */
  readonly inFlight: number;
  /** Longest delay of the event loop in the second before the last heartbeat. */
  readonly eventLoopDelayMs: number;
  /** How long nothing was heard of it. */
  readonly silentMs: number;
}

/** A loop that is late by this is as good as idle: pauses for garbage are shorter. */
const goodDelayMs = 40;
/** One process has so many requests waiting for others without being short of anything. */
const goodInFlight = 200;
/** Heartbeats come every second; what is missing beyond that is delay. */
const heartbeatMs = 1_500;
/** A server that struggles still gets some requests: how else would it show that it recovers? */
const weightMin = 5;
/** Differences smaller than this part are noise, and every change moves requests. */
const deadBand = 0.1;
/** Per second: a server that recovers is not buried under what it missed. */
const riseStep = 10;

/**
 * The share of its usual requests, in percent, that a server should get from now on. `workers` has
 * an entry for each worker it should have, undefined for one that does not serve. Asked once a
 * second: it falls by no more than half at a time, so that a single pause costs little and a lasting
 * one much, and rises in steps.
 */
export function nextWeight(before: number, workers: readonly (Vitals | undefined)[]): number {
  const target = Math.max(weightMin, Math.round(averageOf(workers.map(fitness))));
  if (target < 100 && Math.abs(target - before) <= before * deadBand) return before;
  if (target < before) return Math.max(target, Math.floor(before / 2));
  return Math.min(target, before + riseStep);
}

/** 0 to 100. */
function fitness(worker: Vitals | undefined): number {
  if (worker === undefined) return 0;
  const { inFlight, eventLoopDelayMs, silentMs } = worker;
  const delayMs = Math.max(eventLoopDelayMs, silentMs - heartbeatMs);
  const byDelay = goodDelayMs / Math.max(goodDelayMs, delayMs);
  const byLoad = goodInFlight / Math.max(goodInFlight, inFlight);
  return 100 * Math.min(byDelay, byLoad);
}

function averageOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, one) => sum + one, 0) / values.length;
}
