import type { Deque } from "./deque.ts";
import type { IndexedMap } from "./indexed-map.ts";
import type { SortedSet } from "./sorted-set.ts";

/** What a key may hold, by the name that TYPE gives it. Strings are bytes, one a character. */
export interface DataOf {
  readonly string: string;
  readonly hash: IndexedMap<string>;
  readonly list: Deque;
  readonly set: IndexedMap<true>;
  readonly zset: SortedSet;
}

export type ValueType = keyof DataOf;

/** A value with its type. */
export type Value = {
  readonly [T in ValueType]: { readonly type: T; readonly data: DataOf[T] };
}[ValueType];

/** How many items it holds; a collection without any does not exist. */
export function sizeOf(value: Value): number {
  switch (value.type) {
    case "string":
      return 1;
    case "list":
      return value.data.length;
    default:
      return value.data.size;
  }
}
