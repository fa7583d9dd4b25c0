import {
  createLocalJWKSet,
  type CryptoKey,
  errors,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from "jose";
import { z } from "zod";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { requestJson } from "../json-request.ts";

export interface KeySetOptions {
  readonly url: string;
  /** PEM; default: the system's authorities. */
  readonly ca?: string | undefined;
  readonly maxAgeMs: number;
  /** Least time between two fetches. */
  readonly cooldownMs: number;
  /** Names the definition and the address. */
  readonly logger: Logger;
  /** Default 5,000. */
  readonly timeoutMs?: number;
  /** Milliseconds of a clock that never goes back; tests inject their own. */
  readonly now?: () => number;
}

const keySetSchema = z.object({
  keys: z.array(z.looseObject({ kty: z.string() })).min(1).max(100),
});

type KeyFinder = ReturnType<typeof createLocalJWKSet>;

/** How soon a fetch that failed is tried again while there are no keys at all. */
const firstRetryMs = 1_000;

/**
 * The keys that an issuer publishes. Fetched once and kept; fetched anew when they are old or when
 * a token names a key that is not among them, but never more often than the cooldown allows. Keys
 * that were fetched once are kept for as long as the issuer does not answer.
 */
export class KeySet {
  /** Another number each time the keys are others. */
  version = 0;
  readonly #options: Required<Omit<KeySetOptions, "ca">> & Pick<KeySetOptions, "ca">;
  #find: KeyFinder | undefined;
  #text = "";
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #fetching: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: KeySetOptions) {
    this.#options = { timeoutMs: 5_000, now: () => performance.now(), ...options };
  }

  /** Sees to it that keys are there and not old, without waiting for them. */
  refresh(): void {
    const { now, maxAgeMs } = this.#options;
    if (now() - this.#fetchedAt > maxAgeMs && this.#mayFetch()) void this.#fetch();
  }

  /**
   * The keys that may have signed a token with this header; none when the issuer has no such key.
   * Throws REQUEST_AUTHENTICATION_UNAVAILABLE while no keys could be fetched.
   */
  async find(header: JWSHeaderParameters): Promise<readonly CryptoKey[]> {
    if (this.#find === undefined) {
      if (this.#fetching !== undefined || this.#mayFetch()) await this.#fetch();
      if (this.#find === undefined) {
        throw new PlatformError("REQUEST_AUTHENTICATION_UNAVAILABLE", {}, {
          retryAfterMs: this.#options.cooldownMs,
        });
      }
    }
    const known = await matching(this.#find, header);
    if (known.length > 0) return known;
    if (this.#fetching === undefined && !this.#mayFetch()) return [];
    await this.#fetch();
    return await matching(this.#find, header);
  }

  #mayFetch(): boolean {
    const { now, cooldownMs } = this.#options;
    const pauseMs = this.#find === undefined ? Math.min(firstRetryMs, cooldownMs) : cooldownMs;
    return now() - this.#triedAt >= pauseMs;
  }

  /** One fetch at a time, whoever waits for it. Never rejects. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#tryFetch().finally(() => this.#fetching = undefined);
    return this.#fetching;
  }

  async #tryFetch(): Promise<void> {
    const { now, url, ca, timeoutMs, logger } = this.#options;
    this.#triedAt = now();
    try {
      const { status, json } = await requestJson({ url, method: "GET", ca, timeoutMs });
      if (status !== 200) throw new Error(`it answered ${status}`);
      const result = keySetSchema.safeParse(json);
      if (!result.success) throw new Error("it answered with something that is no set of keys");
      this.#use(result.data);
      if (this.#isFailing) logger.info("The keys of an issuer can be fetched again");
      this.#isFailing = false;
    } catch (error) {
      // Said once: every request would say it again for as long as the issuer is away.
      if (!this.#isFailing) {
        const kept = this.#find === undefined ? "none yet" : "the ones before";
        logger.warn("The keys of an issuer cannot be fetched", { reason: reasonOf(error), kept });
      }
      this.#isFailing = true;
    }
  }

  #use(set: z.output<typeof keySetSchema>): void {
    this.#fetchedAt = this.#options.now();
    const text = JSON.stringify(set);
    if (text === this.#text) return;
    // Only public keys: a set that holds a secret must not turn it into a key that verifies.
    const keys = set.keys.filter(({ kty }) => kty === "RSA" || kty === "EC" || kty === "OKP");
    this.#find = createLocalJWKSet({ keys } as JSONWebKeySet); // members are checked when used
    this.#text = text;
    this.version++;
  }
}

/** Each key that is tried costs a signature; issuers sign with one or two at a time. */
const candidatesMax = 8;

async function firstKeys(keys: AsyncIterable<CryptoKey>): Promise<readonly CryptoKey[]> {
  const first: CryptoKey[] = [];
  for await (const key of keys) {
    first.push(key);
    if (first.length === candidatesMax) break;
  }
  return first;
}

/** A token without a key id may be signed with any key of its algorithm. */
async function matching(
  find: KeyFinder,
  header: JWSHeaderParameters,
): Promise<readonly CryptoKey[]> {
  try {
    return [await find(header)];
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return await firstKeys(error);
    return []; // unknown, or a key that is broken
  }
}
