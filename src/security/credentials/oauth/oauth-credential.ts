import type { StoredObject } from "../../../catalog/kind.ts";
import { isPlatformError } from "../../../errors/platform-error.ts";
import type { ClusterKey } from "../../cluster-key.ts";
import { unsealField } from "../../secrets.ts";
import type { Credential, OutgoingRequest } from "../credential.ts";
import { oauthClient } from "./index.ts";
import { fetchToken, type TokenReply, type TokenRequest } from "./token-endpoint.ts";

/** Throws SECURITY_*, or a zod error for a broken spec. */
export function openOauthClient(
  { kind, name, spec }: StoredObject,
  key: ClusterKey,
): OauthCredential {
  const parsed = oauthClient.schema.parse(spec);
  const unseal = (field: "clientSecret" | "refreshToken") =>
    parsed[field] === undefined
      ? undefined
      : unsealField({ kind, name, field }, parsed[field], key);
  return new OauthCredential({
    name,
    spec: parsed,
    clientSecret: unseal("clientSecret"),
    refreshToken: unseal("refreshToken"),
  });
}

/** Wrong secrets are not tried again with every call: servers lock clients out for less. */
const refusalPauseMs = 5_000;

interface HeldToken {
  readonly header: string;
  /** By the clock of `now`. */
  readonly replaceAt: number;
}

/**
 * An access token, fetched when the first call needs it and kept until shortly before it expires.
 * However many calls wait for a token, one request fetches it.
 */
export class OauthCredential implements Credential {
  readonly #request: TokenRequest;
  readonly #now: () => number;
  #token: HeldToken | undefined;
  #fetching: Promise<HeldToken> | undefined;
  #refusal: { readonly error: unknown; readonly until: number } | undefined;
  /** The newest refresh token; this process alone knows it. */
  #refreshToken: string | undefined;

  /** `now`: milliseconds of a clock that never goes back; tests inject their own. */
  constructor(request: TokenRequest, now: () => number = () => performance.now()) {
    this.#request = request;
    this.#now = now;
    this.#refreshToken = request.refreshToken;
  }

  /** Rejects with SECURITY_TOKEN_*, or with the signal's reason. */
  apply({ headers, signal }: OutgoingRequest): void | Promise<void> {
    const token = this.#token;
    if (token !== undefined && this.#now() < token.replaceAt) {
      headers.set("Authorization", token.header);
      return;
    }
    return this.#wait(signal).then(({ header }) => headers.set("Authorization", header));
  }

  /**
   * The other side did not take the token that these headers carry. Another call may have fetched
   * a newer one meanwhile: that is kept.
   */
  refresh(headers: Headers): boolean {
    if (this.#token?.header === headers.get("authorization")) this.#token = undefined;
    return true;
  }

  /** One fetch for all who wait; a caller whose time is over stops waiting, the fetch goes on. */
  #wait(signal: AbortSignal): Promise<HeldToken> {
    const refusal = this.#refusal;
    if (refusal !== undefined && this.#now() < refusal.until) return Promise.reject(refusal.error);
    this.#fetching ??= this.#fetch().finally(() => this.#fetching = undefined);
    const fetching = this.#fetching;
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(signal.reason);
      if (signal.aborted) giveUp();
      signal.addEventListener("abort", giveUp, { once: true });
      fetching.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
    });
  }

  async #fetch(): Promise<HeldToken> {
    const { spec } = this.#request;
    const askedAt = this.#now();
    const refreshToken = this.#refreshToken;
    let reply: TokenReply;
    try {
      reply = await fetchToken({ ...this.#request, refreshToken });
    } catch (error) {
      // A newer token may have been revoked; the one that was configured is the way back.
      this.#refreshToken = this.#request.refreshToken;
      if (isPlatformError(error, "SECURITY_TOKEN_REFUSED")) {
        this.#refusal = { error, until: this.#now() + refusalPauseMs };
      }
      throw error;
    }
    this.#refreshToken = reply.refreshToken ?? refreshToken;
    const seconds = reply.expiresInSeconds ?? spec.defaultExpirySeconds;
    // A token that lives shorter than the margin is used for half its life, not fetched each time.
    const usedSeconds = Math.max(seconds - spec.marginSeconds, seconds / 2);
    const replaceAt = askedAt + usedSeconds * 1_000;
    return this.#token = { header: `Bearer ${reply.accessToken}`, replaceAt };
  }
}
