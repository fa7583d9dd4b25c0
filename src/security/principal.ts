/** Who a request comes from: the security definition that let it in. */
export interface Principal {
  /** The definition's kind, such as `ApiKey`. */
  readonly kind: string;
  /** The definition's name. */
  readonly name: string;
  /** What the definition, or its token, says that the client may be. */
  readonly roles: readonly string[];
  /** Whom a token or a certificate names; undefined where the definition stands for one client. */
  readonly subject?: string;
  /** The claims of a token. */
  readonly claims?: Readonly<Record<string, unknown>>;
}
