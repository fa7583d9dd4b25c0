import type { StoredObject } from "../../catalog/kind.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Exchange } from "../exchange.ts";
import { LocalBuckets, type Rate, rateOf, type Verdict } from "./bucket.ts";
import { rateLimit, type RateLimitSpec } from "./kind.ts";
import { type BucketStore, SharedBuckets } from "./shared-buckets.ts";

export interface RateLimitsOptions {
  /** Undefined: this server has no KVDB, every worker counts apart. */
  readonly store: BucketStore | undefined;
  readonly logger: Logger;
}

/** How long a request may wait for the KVDB's count. */
const answerMs = 250;
/** How long a KVDB that failed is not asked again. */
const restMs = 1_000;

/** The limits of one process. Its buckets outlive configurations. */
export class RateLimits {
  readonly #shared: SharedBuckets | undefined;
  readonly #local = new LocalBuckets();
  readonly #logger: Logger;
  readonly #limiters = new WeakMap<StoredObject, RateLimiter>();
  #restsUntil = 0;
  #isAlone = false;

  constructor({ store, logger }: RateLimitsOptions) {
    this.#shared = store === undefined ? undefined : new SharedBuckets(store);
    this.#logger = logger;
  }

  /** The limiter of a RateLimit object. Throws a zod error for a broken spec. */
  limiter(object: StoredObject): RateLimiter {
    const known = this.#limiters.get(object);
    if (known !== undefined) return known;
    const made = new RateLimiter(object.name, rateLimit.schema.parse(object.spec), this);
    this.#limiters.set(object, made);
    return made;
  }

  /** Takes a token; the local bucket decides while the KVDB does not answer. */
  take(key: string, rate: Rate, scope: RateLimitSpec["scope"]): Verdict | Promise<Verdict> {
    const now = performance.now();
    const shared = scope === "cluster" && now >= this.#restsUntil ? this.#shared : undefined;
    return shared === undefined
      ? this.#local.take(key, now, rate)
      : this.#takeShared(shared, key, rate);
  }

  async #takeShared(shared: SharedBuckets, key: string, rate: Rate): Promise<Verdict> {
    try {
      const late = () => new Error(`The KVDB did not answer within ${answerMs} ms`);
      const verdict = await withTimeout(shared.take(key, rate), answerMs, late);
      if (this.#isAlone) this.#logger.info("Rate limits are counted together again");
      this.#isAlone = false;
      return verdict;
    } catch (error) {
      if (!this.#isAlone) {
        this.#logger.warn("Rate limits are counted by each worker", { reason: reasonOf(error) });
      }
      this.#isAlone = true;
      this.#restsUntil = performance.now() + restMs;
      return this.#local.take(key, performance.now(), rate);
    }
  }
}

/** The limits of one channel, by when they are asked. */
export interface RouteLimits {
  /** Before it is known who asks: what these refuse costs no check of credentials. */
  readonly before: readonly RateLimiter[];
  readonly after: readonly RateLimiter[];
}

/** Undefined for none. */
export function routeLimits(limiters: readonly RateLimiter[]): RouteLimits | undefined {
  if (limiters.length === 0) return undefined;
  return {
    before: limiters.filter(({ needsPrincipal }) => !needsPrincipal),
    after: limiters.filter(({ needsPrincipal }) => needsPrincipal),
  };
}

/** One RateLimit, as channels use it. */
export class RateLimiter {
  /** True when it must wait until it is known who asks. */
  readonly needsPrincipal: boolean;
  readonly #name: string;
  readonly #spec: RateLimitSpec;
  readonly #rate: Rate;
  readonly #limits: RateLimits;

  constructor(name: string, spec: RateLimitSpec, limits: RateLimits) {
    this.#name = name;
    this.#spec = spec;
    this.#rate = rateOf(spec);
    this.#limits = limits;
    this.needsPrincipal = spec.by === "principal";
  }

  /** Throws, or rejects with, REQUEST_RATE. */
  admit(exchange: Exchange): void | Promise<void> {
    const key = `${this.#name}:${this.#keyOf(exchange)}`;
    const verdict = this.#limits.take(key, this.#rate, this.#spec.scope);
    if (verdict instanceof Promise) return verdict.then(enforce);
    enforce(verdict);
  }

  #keyOf(exchange: Exchange): string {
    switch (this.#spec.by) {
      case "address":
        return networkOf(exchange.remoteAddress);
      case "principal": {
        const { principal } = exchange;
        if (principal === undefined) return networkOf(exchange.remoteAddress);
        return `${principal.kind}/${principal.name}/${principal.subject ?? ""}`;
      }
      case "header":
        // Bounded: what a client sends must not fill the KVDB with long keys.
        return (exchange.headers.get(this.#spec.header!) ?? "").slice(0, 200); // by: header has one
      case "channel":
        return exchange.route?.channel.name ?? "";
    }
  }
}

function enforce(verdict: Verdict): void {
  if (verdict.ok) return;
  const { retryAfterMs } = verdict;
  throw new PlatformError("REQUEST_RATE", {}, { retryAfterMs });
}

/** Who has an IPv6 address has a network of 2^64 of them, so that they count as one. */
function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, zeros)).fill("0"), ...right].slice(0, 4).join(":");
}
