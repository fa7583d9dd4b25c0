import { isInteger } from "./numbers.ts";
import type { Value } from "./values.ts";

const compactSize = 128;
const compactItemBytes = 64;
const integerSetSize = 512;

/** The name that Redis 7.0 has for the way in which it would keep such a value. */
export function encodingOf(value: Value): string {
  switch (value.type) {
    case "string":
      if (isInteger(value.data)) return "int";
      return value.data.length <= 44 ? "embstr" : "raw";
    case "list":
      return "quicklist";
    case "set":
      return value.data.size <= integerSetSize && value.data.keys().every(isInteger)
        ? "intset"
        : "hashtable";
    case "hash": {
      const compact = value.data.size <= compactSize &&
        [...value.data.entries()].every((pair) => pair.every(isSmall));
      return compact ? "listpack" : "hashtable";
    }
    case "zset": {
      const { members } = value.data;
      return members.size <= compactSize && members.keys().every(isSmall) ? "listpack" : "skiplist";
    }
  }
}

function isSmall(text: string): boolean {
  return text.length <= compactItemBytes;
}
