import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TestClock } from "../testing/test-clock.ts";
import { defaultCacheSpec } from "./cache-table.ts";
import { JsonCache } from "./json-cache.ts";
import { MemoryTexts } from "./memory-texts.ts";

function makeCache(given: Partial<typeof defaultCacheSpec> = {}) {
  const clock = new TestClock(0);
  const spec = { ...defaultCacheSpec, ...given };
  const texts = new MemoryTexts(spec, clock);
  const oversized: number[] = [];
  const onOversize = (bytes: number) => oversized.push(bytes);
  const cache = new JsonCache({ name: "rates", store: texts, rules: spec, onOversize });
  return { clock, texts, cache, oversized };
}

describe("A cache", () => {
  it("gives everybody a value of their own", async () => {
    const { cache } = makeCache();
    const given = { list: [1] };

    await cache.set("k", given);
    given.list.push(2);
    (await cache.get<{ list: number[] }>("k"))?.list.push(3);

    assert.deepEqual(await cache.get("k"), { list: [1] });
  });

  it("keeps null, and knows it from nothing", async () => {
    const { cache } = makeCache();

    await cache.set("k", null);

    assert.deepEqual([await cache.get("k"), await cache.get("other")], [null, undefined]);
  });

  it("takes names that every object has for keys like others", async () => {
    const { cache } = makeCache();

    assert.equal(await cache.get("__proto__"), undefined);
    await cache.set("__proto__", 1);
    assert.equal(await cache.get("__proto__"), 1);
    assert.equal(await cache.get("constructor"), undefined);
  });

  it("forgets when the time is over: the cache's, or the call's", async () => {
    const { cache, clock } = makeCache({ ttlMs: 1_000 });
    await cache.set("a", 1);
    await cache.set("b", 1, { ttlMs: 5_000 });

    await clock.advance(1_000);

    assert.deepEqual([await cache.get("a"), await cache.get("b")], [undefined, 1]);
  });

  it("begins the time anew for what is read, where it shall", async () => {
    for (const extendOnGet of [true, false]) {
      const { cache, clock } = makeCache({ ttlMs: 1_000, extendOnGet });
      await cache.set("a", 1);
      await clock.advance(900);
      await cache.get("a");
      await clock.advance(900);
      assert.equal(await cache.get("a"), extendOnGet ? 1 : undefined);
    }
  });

  it("lets the least recently used go first", async () => {
    const { cache, texts } = makeCache({ maxEntries: 2 });
    await cache.set("a", 1);
    await cache.set("b", 2);
    await cache.get("a");

    await cache.set("c", 3);

    assert.deepEqual([await cache.get("a"), await cache.get("b"), await cache.get("c")], [
      1,
      undefined,
      3,
    ]);
    texts.use({ ...defaultCacheSpec, maxEntries: 1 });
    assert.equal(texts.size, 1);
    assert.equal(await cache.get("c"), 3);
  });

  it("stays within its bytes", async () => {
    const { cache, texts } = makeCache({ bytesMax: 10_000 });

    for (let i = 0; i < 100; i++) await cache.set(`key-${i}`, "x".repeat(1_000));

    assert.equal(texts.size, 4);
    assert.equal(await cache.get("key-99"), "x".repeat(1_000));
  });

  it("refuses a value that is too large, and does not keep one that it made", async () => {
    const { cache, oversized } = makeCache({ entryBytesMax: 10 });

    await assert.rejects(cache.set("k", "ä".repeat(5)), {
      code: "CACHE_ENTRY_SIZE",
      message: 'A value for the cache "rates" has 12 bytes, and it takes 10 at most',
    });
    assert.equal(await cache.getOrSet("k", () => "x".repeat(9)), "x".repeat(9));
    assert.equal(await cache.get("k"), undefined);
    assert.deepEqual(oversized, [11]);
    await cache.set("k", "ä".repeat(4));
  });

  it("refuses what is no JSON, and times that are none", async () => {
    const { cache } = makeCache();

    await assert.rejects(cache.set("k", undefined), { code: "VALUE_NOT_JSON" });
    await assert.rejects(cache.set("k", 1n), { code: "VALUE_NOT_JSON" });
    await assert.rejects(cache.set("k", 1, { ttlMs: 0 }), { code: "CACHE_TTL_INVALID" });
    await assert.rejects(cache.set("k", 1, { ttlMs: NaN }), { code: "CACHE_TTL_INVALID" });
  });
});

describe("getOrSet", () => {
  it("makes a value once for calls side by side", async () => {
    const { cache } = makeCache();
    let made = 0;
    const make = async () => {
      await Promise.resolve();
      return { n: ++made };
    };

    const values = await Promise.all(
      Array.from({ length: 100 }, () => cache.getOrSet("k", make)),
    );

    assert.equal(made, 1);
    assert.deepEqual(values[99], { n: 1 });
    assert.notEqual(values[0], values[1]);
  });

  it("remembers no failure, and lets those who waited try once more together", async () => {
    const { cache } = makeCache();
    let calls = 0;
    const make = async () => {
      await Promise.resolve();
      if (++calls === 1) throw new Error("first");
      return "ok";
    };

    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => cache.getOrSet("k", make)),
    );

    assert.equal(calls, 2);
    assert.deepEqual(results.map(({ status }) => status).filter((one) => one === "rejected"), [
      "rejected",
    ]);
    assert.equal(await cache.get("k"), "ok");
  });

  it("fails everybody after the second failure", async () => {
    const { cache } = makeCache();
    let calls = 0;
    const make = () => Promise.reject(new Error(`attempt ${++calls}`));

    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => cache.getOrSet("k", make)),
    );

    assert.equal(calls, 2);
    assert.ok(results.every(({ status }) => status === "rejected"));
  });

  it("does not keep what a change overtook", async () => {
    const { cache } = makeCache();
    for (const change of ["delete", "set", "clear"] as const) {
      const stale = Promise.withResolvers<string>();
      const begun = Promise.withResolvers<void>();
      const making = cache.getOrSet("k", () => {
        begun.resolve();
        return stale.promise;
      });
      await begun.promise;

      if (change === "set") await cache.set("k", "new");
      else await cache[change]("k");
      stale.resolve("stale");

      assert.equal(await making, "stale");
      assert.equal(await cache.get("k"), change === "set" ? "new" : undefined);
      await cache.clear();
    }
  });

  it("does not keep undefined", async () => {
    const { cache } = makeCache();
    let calls = 0;
    const make = () => void calls++;

    assert.equal(await cache.getOrSet("k", make), undefined);
    await cache.getOrSet("k", make);

    assert.equal(calls, 2);
  });
});
