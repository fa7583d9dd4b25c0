import { createHash, randomBytes } from "node:crypto";

// Known to this process only, so that what is remembered tells nothing outside it.
const salt = randomBytes(32).toString("base64url");

/** What a credential is remembered by: a digest that only this process can make. */
export function credentialDigest(credential: string): string {
  return createHash("sha256").update(salt + credential).digest("base64");
}

/**
 * Remembers what checking a credential led to, so that the slow check is made once. Bounded: the
 * oldest entry makes room. The credentials themselves are not kept.
 */
export class SeenCredentials<T> {
  readonly #limit: number;
  readonly #seen = new Map<string, T>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(digest: string): T | undefined {
    return this.#seen.get(digest);
  }

  set(digest: string, outcome: T): void {
    if (this.#seen.size >= this.#limit) {
      const [oldest] = this.#seen.keys();
      if (oldest !== undefined) this.#seen.delete(oldest);
    }
    this.#seen.set(digest, outcome);
  }
}
