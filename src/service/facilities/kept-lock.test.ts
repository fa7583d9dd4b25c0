import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TestClock } from "../testing/test-clock.ts";
import { KeptLock } from "./kept-lock.ts";

type Renewal = () => boolean | Promise<boolean>;

function hold(renew: Renewal) {
  const clock = new TestClock(0);
  const asked: number[] = [];
  let released = 0;
  const lock = new KeptLock({
    name: "orders",
    token: 7,
    ttlMs: 3_000,
    grantedAtMs: 0,
    clock,
    renew: async () => {
      asked.push(clock.monotonic());
      return await renew();
    },
    release: () => {
      released++;
      return Promise.resolve();
    },
  });
  return { clock, lock, asked, released: () => released };
}

describe("A lock that is held", () => {
  it("renews itself at a third of its time until it is released", async () => {
    const { clock, lock, asked, released } = hold(() => true);

    await clock.advance(10_000);
    assert.deepEqual(asked, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => n * 1_000));
    assert.equal(lock.signal.aborted, false);

    await lock.release();
    await lock.release();
    await clock.advance(10_000);
    assert.equal(asked.length, 10);
    assert.equal(released(), 1);
    assert.equal(lock.signal.aborted, false);
    assert.equal(clock.waiting, 0);
  });

  it("is lost when somebody else has it, and then is not ours to release", async () => {
    const { clock, lock, released } = hold(() => false);

    await clock.advance(1_000);
    await lock.release();

    assert.equal(lock.signal.reason.code, "LOCK_LOST");
    assert.equal(released(), 0);
    assert.equal(clock.waiting, 0);
  });

  it("survives failed renewals, but not beyond its time less a margin", async () => {
    let fails = true;
    const { clock, lock } = hold(() => {
      if (fails) throw new Error("no database");
      return true;
    });

    await clock.advance(2_400);
    fails = false;
    await clock.advance(10_000);
    assert.equal(lock.signal.aborted, false);

    fails = true;
    await clock.advance(3_000);
    assert.equal(lock.signal.reason.code, "LOCK_LOST");
    assert.match(String(lock.signal.reason.cause.message), /no database/);
    assert.equal(clock.waiting, 0);
  });

  it("is lost in time when a renewal has no answer at all", async () => {
    const { clock, lock } = hold(() => new Promise(() => {}));

    await clock.advance(2_699);
    assert.equal(lock.signal.aborted, false);
    await clock.advance(1);

    assert.equal(lock.signal.aborted, true);
  });

  it("counts a renewal from when it was asked for, not from its answer", async () => {
    const answers: ((renewed: boolean) => void)[] = [];
    const { clock, lock } = hold(() => new Promise((resolve) => answers.push(resolve)));
    await clock.advance(2_600);
    answers.shift()!(true); // asked for at 1,000

    await clock.advance(1_099);
    assert.equal(lock.signal.aborted, false);
    await clock.advance(1);

    assert.equal(lock.signal.aborted, true);
  });
});
