import type { KeyObject } from "node:crypto";
import {
  type CryptoKey,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyOptions,
} from "jose";
import { isPlatformError } from "../../errors/platform-error.ts";
import { SeenCredentials } from "../seen-credentials.ts";
import { freezeClaims } from "./claims.ts";
import { KeySet } from "./key-set.ts";

/** What one definition wants of a token. */
export interface TokenRules {
  readonly algorithms: readonly string[];
  readonly issuer?: string | readonly string[] | undefined;
  readonly audience?: string | readonly string[] | undefined;
  readonly clockSkewSeconds: number;
  readonly requiredClaims?: readonly string[] | undefined;
  readonly tokenType?: string | undefined;
}

export interface VerifiedToken {
  readonly claims: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970 from which on the token is not taken any more. */
  readonly expiresAt: number;
}

/** Tokens remembered for each definition. */
const acceptedMax = 10_000;
const refusedMax = 1_000;

/** Checks tokens by the rules of one definition, each signature once. */
export class TokenVerifier {
  readonly #keys: KeyObject | KeySet;
  readonly #options: JWTVerifyOptions;
  readonly #skewMs: number;
  #accepted = new SeenCredentials<VerifiedToken>(acceptedMax);
  // Apart from the accepted ones, which a flood of others must not push out.
  #refused = new SeenCredentials<true>(refusedMax);
  #version = 0;

  constructor(keys: KeyObject | KeySet, rules: TokenRules) {
    this.#keys = keys;
    this.#skewMs = rules.clockSkewSeconds * 1_000;
    const { issuer, audience, tokenType } = rules;
    this.#options = {
      algorithms: [...rules.algorithms],
      clockTolerance: rules.clockSkewSeconds,
      // Without it, a token that was lost once is valid for ever.
      requiredClaims: ["exp", ...(rules.requiredClaims ?? [])],
      ...(issuer === undefined ? {} : { issuer: listOf(issuer) }),
      ...(audience === undefined ? {} : { audience: listOf(audience) }),
      ...(tokenType === undefined ? {} : { typ: tokenType }),
    };
  }

  /** True for a token that was refused for good, under the keys of now. */
  isRefused(digest: string): boolean {
    return this.#refused.get(digest) === true;
  }

  /** What is known of a token that was verified before, as long as it and its key are valid. */
  remembered(digest: string): VerifiedToken | undefined {
    if (this.#keys instanceof KeySet) this.#followKeys(this.#keys);
    const known = this.#accepted.get(digest);
    return known !== undefined && Date.now() < known.expiresAt ? known : undefined;
  }

  /**
   * Checks form, algorithm, signature and claims; undefined for whatever is wrong, "refused" when
   * a signature had to be checked to find out. Throws REQUEST_AUTHENTICATION_UNAVAILABLE while the
   * issuer's keys cannot be fetched.
   */
  async verify(token: string, digest: string): Promise<VerifiedToken | "refused" | undefined> {
    const keys = await this.#keysFor(token);
    const version = this.#version;
    let isForGood = true;
    for (const key of keys) {
      const claims = await this.#verifyWith(key, token);
      if (claims === "not yet") isForGood = false;
      if (typeof claims === "string") continue;
      const verified = {
        claims: freezeClaims(claims),
        expiresAt: claims.exp! * 1_000 + this.#skewMs,
      }; // exp is required
      if (version === this.#version) this.#accepted.set(digest, verified);
      return verified;
    }
    if (keys.length === 0) return undefined;
    if (isForGood && version === this.#version) this.#refused.set(digest, true);
    return "refused";
  }

  async #keysFor(token: string): Promise<readonly (KeyObject | CryptoKey)[]> {
    try {
      const header = decodeProtectedHeader(token);
      // Before any key is looked for: what names another algorithm fetches nothing.
      if (!this.#options.algorithms!.includes(header.alg ?? "")) return []; // set by us
      if (!(this.#keys instanceof KeySet)) return [this.#keys];
      const keys = await this.#keys.find({ ...header, alg: header.alg! }); // in the list
      this.#followKeys(this.#keys);
      return keys;
    } catch (error) {
      if (isPlatformError(error)) throw error;
      return []; // no header, or one that is not JSON
    }
  }

  async #verifyWith(
    key: KeyObject | CryptoKey,
    token: string,
  ): Promise<JWTPayload | "no" | "not yet"> {
    try {
      return (await jwtVerify(token, key, this.#options)).payload;
    } catch (error) {
      // Nobody is told which part was wrong; but a token of tomorrow is not refused for ever.
      const isEarly = error instanceof errors.JWTClaimValidationFailed && error.claim === "nbf";
      return isEarly ? "not yet" : "no";
    }
  }

  /** Fetches old keys anew, and forgets what was signed with keys that are gone. */
  #followKeys(keys: KeySet): void {
    keys.refresh();
    if (keys.version === this.#version) return;
    this.#version = keys.version;
    this.#accepted = new SeenCredentials(acceptedMax);
    this.#refused = new SeenCredentials(refusedMax);
  }
}

function listOf(value: string | readonly string[]): string[] {
  return typeof value === "string" ? [value] : [...value];
}
