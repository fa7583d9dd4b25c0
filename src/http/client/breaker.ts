/** When a circuit breaker opens, and for how long. */
export interface BreakerOptions {
  /** Share of failures, from above 0 to 1, at which it opens. */
  readonly failureRatio: number;
  /** Calls of this long ago and later count. */
  readonly windowMs: number;
  /** With fewer calls than this in the window it stays closed. */
  readonly callsMin: number;
  /** How long nothing is let through once it is open. */
  readonly openMs: number;
  /** Calls that must succeed, and may run, before it closes again. */
  readonly probes: number;
}

export type BreakerState = "closed" | "open" | "half-open";

/** How a call ended. `unknown`: for a reason that says nothing of the other side. */
export type CallOutcome = "success" | "failure" | "unknown";

/** Leave to make one call; its outcome must be told, once. */
export type Permit = (outcome: CallOutcome) => void;

const bucketCount = 10;

interface Bucket {
  readonly index: number;
  calls: number;
  failures: number;
}

/**
 * Keeps calls away from another side that fails them: `closed` -> `open` when too large a share of
 * the last calls failed -> `half-open` after a while, when a few calls try whether it is well ->
 * `closed` when all of those succeeded, `open` when one failed.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions;
  readonly #now: () => number;
  readonly #bucketMs: number;
  #buckets: Bucket[] = [];
  #openUntil: number | undefined;
  #probesLeft = 0;
  #probesGood = 0;
  /** Outcomes of calls that began in an earlier state say nothing of this one. */
  #epoch = 0;

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(options: BreakerOptions, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#now = now;
    this.#bucketMs = options.windowMs / bucketCount;
  }

  get state(): BreakerState {
    if (this.#openUntil === undefined) return "closed";
    return this.#now() < this.#openUntil ? "open" : "half-open";
  }

  /** Milliseconds until it lets a call through again; 0 unless it is open. */
  get retryInMs(): number {
    return Math.max(0, (this.#openUntil ?? 0) - this.#now());
  }

  /** Undefined: the call must not be made. */
  enter(): Permit | undefined {
    const { state } = this;
    if (state === "open") return undefined;
    const epoch = this.#epoch;
    if (state === "closed") {
      return (outcome) => this.#count(epoch, outcome);
    }
    if (this.#probesLeft === 0) return undefined;
    this.#probesLeft--;
    return (outcome) => this.#probed(epoch, outcome);
  }

  #count(epoch: number, outcome: CallOutcome): void {
    if (epoch !== this.#epoch || outcome === "unknown") return;
    const bucket = this.#bucket();
    bucket.calls++;
    if (outcome === "success") return;
    bucket.failures++;
    const { callsMin, failureRatio } = this.#options;
    const calls = sum(this.#buckets, "calls");
    if (calls < callsMin || sum(this.#buckets, "failures") < calls * failureRatio) return;
    this.#open();
  }

  #probed(epoch: number, outcome: CallOutcome): void {
    if (epoch !== this.#epoch) return;
    if (outcome === "failure") return this.#open();
    if (outcome === "unknown") this.#probesLeft++;
    else if (++this.#probesGood === this.#options.probes) this.#close();
  }

  #open(): void {
    this.#epoch++;
    this.#openUntil = this.#now() + this.#options.openMs;
    this.#probesLeft = this.#options.probes;
    this.#probesGood = 0;
  }

  #close(): void {
    this.#epoch++;
    this.#openUntil = undefined;
    this.#buckets = [];
  }

  #bucket(): Bucket {
    const index = Math.floor(this.#now() / this.#bucketMs);
    this.#buckets = this.#buckets.filter((bucket) => bucket.index > index - bucketCount);
    const last = this.#buckets.at(-1);
    if (last?.index === index) return last;
    const bucket = { index, calls: 0, failures: 0 };
    this.#buckets.push(bucket);
    return bucket;
  }
}

function sum(buckets: readonly Bucket[], field: "calls" | "failures"): number {
  return buckets.reduce((total, bucket) => total + bucket[field], 0);
}
