import { type BreakerOptions, CircuitBreaker, type Permit } from "./breaker.ts";

/** How calls are spread over the addresses of one connection. */
export type Balance = "in-order" | "round-robin";

/** An address to which no connection came about is tried last for this long. */
const restMs = 5_000;

/** One base address of a connection. */
export class Address {
  readonly url: URL;
  readonly breaker: CircuitBreaker | undefined;
  /** Until then the others are tried first. */
  restsUntil = 0;

  constructor(url: URL, breaker: CircuitBreaker | undefined) {
    this.url = url;
    this.breaker = breaker;
  }

  /** Scheme, host and port, for people; credentials are refused in addresses. */
  get shown(): string {
    return this.url.origin;
  }
}

/** Leave to call an address. */
export interface Choice {
  readonly address: Address;
  /** Tells the address's circuit breaker how the call ended. */
  readonly settle: Permit;
}

export interface AddressListOptions {
  readonly urls: readonly URL[];
  readonly balance: Balance;
  readonly breaker: BreakerOptions | undefined;
  readonly now: () => number;
}

/**
 * The base addresses of one connection. Each has a circuit breaker of its own; one that could not
 * be reached rests, which means that the others go first.
 */
export class AddressList {
  readonly all: readonly Address[];
  readonly #balance: Balance;
  readonly #now: () => number;
  #turn = 0;

  constructor({ urls, balance, breaker, now }: AddressListOptions) {
    this.all = urls.map((url) =>
      new Address(url, breaker === undefined ? undefined : new CircuitBreaker(breaker, now))
    );
    this.#balance = balance;
    this.#now = now;
  }

  /** `open`: none may be called; `half-open`: those that may are being tried. */
  get state(): "ready" | "open" | "half-open" {
    const states = this.all.map(({ breaker }) => breaker?.state ?? "closed");
    if (states.includes("closed")) return "ready";
    return states.includes("half-open") ? "half-open" : "open";
  }

  /** Milliseconds until one of them may be called again; 0 unless all are kept away from. */
  get retryInMs(): number {
    return Math.min(...this.all.map(({ breaker }) => breaker?.retryInMs ?? 0));
  }

  /**
   * The best address that may be called, of those not in `avoid` where there is one. Undefined
   * when every circuit breaker is open.
   */
  choose(avoid: ReadonlySet<Address>): Choice | undefined {
    for (const address of this.#order(avoid)) {
      const { breaker } = address;
      const settle = breaker === undefined ? () => {} : breaker.enter();
      if (settle !== undefined) return { address, settle };
    }
    return undefined;
  }

  /** No connection to the address came about. */
  rest(address: Address): void {
    address.restsUntil = this.#now() + restMs;
  }

  /** True when there is an address that is neither in `tried` nor resting. */
  hasFresh(tried: ReadonlySet<Address>): boolean {
    const now = this.#now();
    return this.all.some((address) => !tried.has(address) && address.restsUntil <= now);
  }

  #order(avoid: ReadonlySet<Address>): readonly Address[] {
    const { all } = this;
    if (all.length === 1) return all;
    const start = this.#balance === "round-robin" ? this.#turn++ % all.length : 0;
    const turned = [...all.slice(start), ...all.slice(0, start)];
    const now = this.#now();
    const rank = (address: Address) =>
      (avoid.has(address) ? 2 : 0) + (address.restsUntil > now ? 1 : 0);
    return turned.sort((one, other) => rank(one) - rank(other));
  }
}
