/** Who a request comes from: the security definition that let it in. */
export interface Principal {
  /** The definition's kind, such as `ApiKey`. */
  readonly kind: string;
  /** The definition's name. */
  readonly name: string;
}
