import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LocalBuckets, rateOf, type Verdict } from "./bucket.ts";
import { type BucketStore, SharedBuckets } from "./shared-buckets.ts";

/** A store with a clock of its own that expires as a KVDB does. */
class MemoryStore implements BucketStore {
  time = Date.parse("2026-01-01T00:00:00Z");
  readonly #values = new Map<string, { value: number; expiresAt: number }>();

  now(): number {
    return this.time;
  }

  add(key: string, amount: number): Promise<number> {
    const known = this.#values.get(key);
    const alive = known !== undefined && known.expiresAt > this.time;
    const value = (alive ? known.value : 0) + amount;
    this.#values.set(key, { value, expiresAt: alive ? known.expiresAt : Infinity });
    return Promise.resolve(value);
  }

  expireAt(key: string, at: number): Promise<void> {
    const known = this.#values.get(key);
    if (known !== undefined) known.expiresAt = at;
    return Promise.resolve();
  }
}

interface Subject {
  readonly name: string;
  make(): { take(): Promise<Verdict>; advance(ms: number): void };
}

const rate = rateOf({ requests: 10, perMs: 1_000, burst: 3 });

const subjects: readonly Subject[] = [{
  name: "LocalBuckets",
  make() {
    const buckets = new LocalBuckets();
    let now = 1_000_000;
    return {
      take: () => Promise.resolve(buckets.take("a", now, rate)),
      advance: (ms) => now += ms,
    };
  },
}, {
  name: "SharedBuckets",
  make() {
    const store = new MemoryStore();
    const buckets = new SharedBuckets(store);
    return { take: () => buckets.take("a", rate), advance: (ms) => store.time += ms };
  },
}];

for (const { name, make } of subjects) {
  describe(name, () => {
    it("grants the burst at once, then one each interval", async () => {
      const bucket = make();
      const verdicts = [];
      for (let index = 0; index < 5; index++) verdicts.push((await bucket.take()).ok);
      assert.deepEqual(verdicts, [true, true, true, false, false]);

      bucket.advance(100);
      assert.equal((await bucket.take()).ok, true);
      assert.equal((await bucket.take()).ok, false);
    });

    it("says how long to wait", async () => {
      const bucket = make();
      for (let index = 0; index < 3; index++) await bucket.take();
      bucket.advance(40);

      const verdict = await bucket.take();

      assert.ok(!verdict.ok);
      assert.equal(Math.round(verdict.retryAfterMs), 60);
    });

    it("saves up no more than the burst", async () => {
      const bucket = make();
      await bucket.take();
      bucket.advance(3_600_000);
      const verdicts = [];
      for (let index = 0; index < 4; index++) verdicts.push((await bucket.take()).ok);

      assert.deepEqual(verdicts, [true, true, true, false]);
    });

    it("keeps the long-run rate, however requests come", async () => {
      const bucket = make();
      let granted = 0;
      // 60 s of somebody who asks every 7 ms, refused or not.
      for (let time = 0; time < 60_000; time += 7) {
        if ((await bucket.take()).ok) granted++;
        bucket.advance(7);
      }
      assert.ok(granted >= 595 && granted <= 606, `${granted} granted`);
    });
  });
}

describe("SharedBuckets of two servers", () => {
  it("grants together what one would", async () => {
    const store = new MemoryStore();
    const servers = [new SharedBuckets(store), new SharedBuckets(store)];

    const verdicts = await Promise.all(
      Array.from({ length: 40 }, (_, index) => servers[index % 2]!.take("a", rate)),
    );

    const granted = verdicts.filter(({ ok }) => ok).length;
    assert.ok(granted >= 1 && granted <= 3, `${granted} granted`);
  });
});

describe("LocalBuckets", () => {
  it("counts keys apart", () => {
    const buckets = new LocalBuckets();
    for (let index = 0; index < 4; index++) buckets.take("a", 0, rate);

    assert.equal(buckets.take("a", 0, rate).ok, false);
    assert.equal(buckets.take("b", 0, rate).ok, true);
  });
});
