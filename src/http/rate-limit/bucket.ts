/**
 * A token bucket in one number, the generic cell rate algorithm (ITU-T I.371): the time at which
 * the bucket will be full again. A request moves it by one interval; it must not lie further ahead
 * than the burst allows.
 */
export interface Rate {
  /** Time that one request stands for. */
  readonly intervalMs: number;
  /** How far ahead the bucket may be filled: the burst, as time. */
  readonly depthMs: number;
}

/** Either let in, or how long until the next one would be. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly retryAfterMs: number };

const letIn: Verdict = Object.freeze({ ok: true });

export function rateOf(
  { requests, perMs, burst = requests }: {
    readonly requests: number;
    readonly perMs: number;
    readonly burst?: number | undefined;
  },
): Rate {
  const intervalMs = perMs / requests;
  return { intervalMs, depthMs: intervalMs * burst };
}

/** The verdict on a bucket that is full again at `fullAt`, this request included. */
export function judge(fullAt: number, now: number, { depthMs }: Rate): Verdict {
  const aheadMs = fullAt - now;
  // A tenth of a microsecond: what is left over of sums of fractions is no reason to refuse.
  return aheadMs <= depthMs + 1e-4 ? letIn : { ok: false, retryAfterMs: aheadMs - depthMs };
}

/** Buckets that are remembered; the one unused for longest makes room. */
const bucketsMax = 100_000;

/** The buckets of one process. */
export class LocalBuckets {
  readonly #fullAt = new Map<string, number>();

  /** Takes one token of the bucket `key`. */
  take(key: string, now: number, rate: Rate): Verdict {
    const before = this.#fullAt.get(key);
    const fullAt = Math.max(before ?? now, now) + rate.intervalMs;
    const verdict = judge(fullAt, now, rate);
    if (!verdict.ok) return verdict;
    // Taken out and put in again, so that the map is in the order of use.
    if (before !== undefined) this.#fullAt.delete(key);
    else if (this.#fullAt.size >= bucketsMax) this.#forgetOldest();
    this.#fullAt.set(key, fullAt);
    return verdict;
  }

  #forgetOldest(): void {
    const [oldest] = this.#fullAt.keys();
    if (oldest !== undefined) this.#fullAt.delete(oldest);
  }
}
