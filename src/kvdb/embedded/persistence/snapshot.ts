import type { Value } from "../data/values.ts";
import type { Database } from "../database.ts";

/** Items of one request; large collections are told in several. */
const itemsPerRequest = 64;

/** Requests that make the data of a database; what has expired is left out. */
export function* requestsOf(database: Database): Generator<readonly string[]> {
  const now = database.now();
  for (const [key, value] of database.entries()) {
    const expiry = database.expiryOf(key);
    if (expiry !== undefined && expiry <= now) continue;
    yield* requestsOfValue(key, value);
    if (expiry !== undefined) yield ["PEXPIREAT", key, String(expiry)];
  }
}

function* requestsOfValue(key: string, value: Value): Generator<readonly string[]> {
  switch (value.type) {
    case "string":
      yield ["SET", key, value.data];
      return;
    case "list":
      yield* inPortions(["RPUSH", key], value.data.slice().map((item) => [item]));
      return;
    case "set":
      yield* inPortions(["SADD", key], value.data.keys().map((member) => [member]));
      return;
    case "hash":
      yield* inPortions(["HSET", key], [...value.data.entries()]);
      return;
    case "zset": {
      const members = value.data.slice(0, value.data.size);
      // JavaScript's shortest text gives the same double back.
      yield* inPortions(["ZADD", key], members.map((one) => [scoreText(one.score), one.member]));
    }
  }
}

function scoreText(score: number): string {
  if (Number.isFinite(score)) return Object.is(score, -0) ? "-0" : String(score);
  return score > 0 ? "inf" : "-inf";
}

function* inPortions(
  head: readonly string[],
  items: readonly (readonly string[])[],
): Generator<readonly string[]> {
  for (let i = 0; i < items.length; i += itemsPerRequest) {
    yield [...head, ...items.slice(i, i + itemsPerRequest).flat()];
  }
}
