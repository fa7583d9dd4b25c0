/**
 * `kept` and `broken` compare what was measured with the bound; `noted` has no bound and is told
 * for its own sake.
 */
export type Verdict = "kept" | "broken" | "noted";

/** One line of a rehearsal's table. */
export interface PromiseRow {
  readonly promise: string;
  readonly measured: string;
  readonly bound: string;
  readonly verdict: Verdict;
  /** What makes it broken, at most a few of the cases. */
  readonly cases?: readonly string[];
}

/** How many cases of a broken promise are shown. */
const casesShown = 5;

/** A promise that nothing of a kind happens. */
export function none(promise: string, cases: readonly string[]): PromiseRow {
  return atMostCount(promise, cases, 0);
}

/** A promise that something happens at most so often. */
export function atMostCount(promise: string, cases: readonly string[], bound: number): PromiseRow {
  const broken = cases.length > bound;
  return {
    promise,
    measured: String(cases.length),
    bound: String(bound),
    verdict: broken ? "broken" : "kept",
    ...(broken ? { cases: cases.slice(0, casesShown) } : {}),
  };
}

/** A promise that something takes at most so long; undefined: it did not happen at all. */
export function withinMs(
  promise: string,
  valueMs: number | undefined,
  boundMs: number,
): PromiseRow {
  return {
    promise,
    measured: valueMs === undefined ? "never" : formatMs(valueMs),
    bound: `<= ${formatMs(boundMs)}`,
    verdict: valueMs !== undefined && valueMs <= boundMs ? "kept" : "broken",
  };
}

/** A promise that is either true or not; what was seen is told in words. */
export function holds(promise: string, isKept: boolean, measured: string): PromiseRow {
  return { promise, measured, bound: "-", verdict: isKept ? "kept" : "broken" };
}

/** Something that was seen, and that nobody promised. */
export function noted(promise: string, measured: string): PromiseRow {
  return { promise, measured, bound: "-", verdict: "noted" };
}

/** `17 ms`, `4.2 s` */
export function formatMs(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
