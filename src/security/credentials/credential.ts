import type { StoredObject } from "../../catalog/kind.ts";
import type { ClusterKey } from "../cluster-key.ts";

/** What a credential may add to: a request that has not been sent yet. */
export interface OutgoingRequest {
  readonly url: URL;
  readonly headers: Headers;
  /** The deadline of the call; fetching a token ends with it. */
  readonly signal: AbortSignal;
}

/**
 * What we show another system, ready to use. Keep one for as long as its object stays the same: it
 * remembers tokens and connections.
 */
export interface Credential {
  /**
   * Adds headers or query parameters. Rejects with SECURITY_TOKEN_REFUSED or
   * SECURITY_TOKEN_UNREACHABLE where a token has to be fetched first and cannot be.
   */
  apply(request: OutgoingRequest): void | Promise<void>;
  /**
   * Called after the other side answered 401 to a request that `apply` prepared, with the headers
   * it was sent with. True: what was shown has been given up, and a second attempt, prepared anew,
   * makes sense.
   */
  refresh?(headers: Headers): boolean;
  /**
   * Carries out the whole exchange itself, for schemes that authenticate a connection and not a
   * request. Called instead of fetch, after `apply`. Rejects as fetch does.
   */
  send?(request: Request, options: SendOptions): Promise<Response>;
  /** Ends what the credential keeps open. Idempotent. */
  close?(): Promise<void>;
}

export interface SendOptions {
  readonly signal: AbortSignal;
  /** What the connection says of TLS; PEM texts. Default: the system's authorities. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** Opens a credential of one kind. */
export type CredentialOpener = (object: StoredObject, key: ClusterKey) => Credential;
