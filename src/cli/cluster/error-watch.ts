/** Counters of one process; they begin at 0 with each new one. */
export interface Counters {
  /** Which process, such as `server1/4711`. */
  readonly source: string;
  readonly requests: number;
  readonly errors: number;
}

export interface ErrorRates {
  readonly requests: number;
  readonly errors: number;
  /** Errors per request before the watch began and since; 0 without requests. */
  readonly before: number;
  readonly since: number;
}

/** A few errors are no rise, whatever part of few requests they are. */
const errorsMin = 5;

/** Holds how many requests fail from now on against how many did so far. */
export class ErrorWatch {
  readonly #seen = new Map<string, Counters>();
  readonly #before: number;
  #requests = 0;
  #errors = 0;

  /** `counters` as they stand now. */
  constructor(counters: readonly Counters[]) {
    for (const one of counters) this.#seen.set(one.source, one);
    const sum = (pick: (one: Counters) => number) =>
      counters.reduce((total, one) => total + pick(one), 0);
    this.#before = rateOf(sum((one) => one.errors), sum((one) => one.requests));
  }

  /** Adds what was counted since the last look, by new processes as well. */
  look(counters: readonly Counters[]): void {
    for (const one of counters) {
      const last = this.#seen.get(one.source);
      const isSame = last !== undefined && one.requests >= last.requests &&
        one.errors >= last.errors;
      this.#requests += one.requests - (isSame ? last.requests : 0);
      this.#errors += one.errors - (isSame ? last.errors : 0);
      this.#seen.set(one.source, one);
    }
  }

  rates(): ErrorRates {
    const requests = this.#requests;
    const errors = this.#errors;
    return { requests, errors, before: this.#before, since: rateOf(errors, requests) };
  }

  /** Whether more fail than before, by more than `bound` (errors per request). */
  isAbove(bound: number): boolean {
    const { errors, before, since } = this.rates();
    return errors >= errorsMin && since > before + bound;
  }
}

function rateOf(errors: number, requests: number): number {
  // The balancer's own errors are of requests that no server has counted.
  return errors === 0 ? 0 : errors / Math.max(requests, errors);
}
