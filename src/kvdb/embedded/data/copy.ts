import { Deque } from "./deque.ts";
import { IndexedMap } from "./indexed-map.ts";
import { SortedSet } from "./sorted-set.ts";
import type { Value } from "./values.ts";

/** The same value, sharing nothing that can change. */
export function copyValue(value: Value): Value {
  switch (value.type) {
    case "string":
      return value;
    case "hash":
      return { type: "hash", data: copyMap(value.data) };
    case "set":
      return { type: "set", data: copyMap(value.data) };
    case "list": {
      const data = new Deque();
      data.assign(value.data.slice());
      return { type: "list", data };
    }
    case "zset": {
      const data = new SortedSet();
      for (const [member, { score }] of value.data.members.entries()) data.set(member, score);
      return { type: "zset", data };
    }
  }
}

function copyMap<V>(map: IndexedMap<V>): IndexedMap<V> {
  const copy = new IndexedMap<V>();
  for (const [key, value] of map.entries()) copy.set(key, value);
  return copy;
}
