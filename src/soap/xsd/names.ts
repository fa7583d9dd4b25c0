/** A name in a namespace; empty for none. */
export interface QName {
  readonly namespace: string;
  readonly name: string;
}

/** `{namespace}name`, as tables are keyed. */
export function keyOf({ namespace, name }: QName): string {
  return `{${namespace}}${name}`;
}
