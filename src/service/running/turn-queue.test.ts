import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { delay, poll } from "../../lib/wait.ts";
import { TurnQueue } from "./turn-queue.ts";

/** Somebody waits for it. */
const wanted = { signal: new AbortController().signal, remaining: () => 10_000 };

/** Computes for longer than a turn may take, however long others hold the process up. */
function compute(ms = 6): void {
  const before = process.cpuUsage();
  const until = performance.now() + ms;
  for (let spentMs = 0; spentMs < ms || performance.now() < until;) {
    const { user, system } = process.cpuUsage(before);
    spentMs = (user + system) / 1_000;
  }
}

/** A queue whose loop was late a moment ago. */
async function strained(marks = { running: 0 }): Promise<TurnQueue> {
  const queue = new TurnQueue(marks);
  await run(queue, () => compute(200));
  await poll(() => queue.isStrained || undefined, { timeoutMs: 5_000, intervalMs: 1 });
  return queue;
}

/** What a channel does with a call: without a need to wait, the work begins at once. */
function run(queue: TurnQueue, work: () => void): Promise<void> {
  const waiting = queue.enter(wanted);
  if (waiting !== undefined) return waiting.then(work);
  work();
  return Promise.resolve();
}

describe("A queue of turns", () => {
  it("lets the first call begin at once", () => {
    assert.equal(new TurnQueue({ running: 0 }).enter(wanted), undefined);
  });

  it("lets all calls begin at once while the loop is in time", () => {
    const queue = new TurnQueue({ running: 0 });
    const begun = Array.from({ length: 100 }, () => queue.enter(wanted));

    assert.ok(begun.every((waiting) => waiting === undefined));
  });

  it("lets every call of a burst begin, in order, with a turn of the loop between two", async () => {
    const queue = await strained();
    const seen: string[] = [];
    const calls = Array.from({ length: 8 }, (_, index) =>
      run(queue, () => {
        seen.push(`call ${index}`);
        compute();
      }));
    let isOver = false;
    const all = Promise.all(calls).then(() => isOver = true);
    while (!isOver) {
      await nextTurn();
      if (seen.at(-1) !== "turn") seen.push("turn");
    }
    await all;

    const called = seen.filter((text) => text !== "turn");
    assert.deepEqual(called, Array.from({ length: 8 }, (_, index) => `call ${index}`));
    assert.ok(seen.every((text, index) => text === "turn" || seen[index + 1] === "turn"));
    assert.equal(queue.waiting, 0);
  });

  it("says how long one more call would wait, and that it has caught up in the end", async () => {
    const queue = await strained();
    const calls = Array.from({ length: 12 }, () => run(queue, compute));
    await calls[6];
    const { waitMs, behindMs } = queue;
    await Promise.all(calls);

    assert.ok(waitMs > 0 && behindMs > 0, `${waitMs} ms, ${behindMs} ms`);
    assert.equal(await poll(() => queue.behindMs === 0 || undefined, { timeoutMs: 5_000 }), true);
    assert.equal(queue.waitMs, 0);
  });

  it("lets calls begin beside a job that takes turn after turn", async () => {
    const queue = await strained({ running: 1 });
    let isOver = false;
    const job = (async () => {
      for (; !isOver; await nextTurn()) compute(70);
    })();
    const calls = Array.from({ length: 6 }, () => run(queue, () => {}));
    const begun = Promise.all(calls).then(() => true);

    try {
      assert.ok(await Promise.race([begun, delay(10_000)]), `${queue.waiting} still wait`);
    } finally {
      isOver = true;
      await job;
    }
  });

  it("lets all begin at once when it is others who take the processor", async () => {
    let interruptions = 0;
    const queue = new TurnQueue({ running: 0 }, () => {
      return { userCPUTime: 0, systemCPUTime: 0, involuntaryContextSwitches: interruptions++ };
    });
    await run(queue, () => compute(200));
    const looked = interruptions + 1;
    const hasLooked = () => interruptions > looked || undefined;
    assert.ok(await poll(hasLooked, { timeoutMs: 5_000, intervalMs: 1 }));
    const begun = Array.from({ length: 100 }, () => queue.enter(wanted));

    assert.equal(queue.isStrained, false);
    assert.ok(begun.every((waiting) => waiting === undefined));
  });

  it("does not run what is over before its turn comes", async () => {
    const queue = await strained();
    const over = { ...wanted, remaining: () => 0 };
    await run(queue, compute);
    const waiting = queue.enter(over);

    await assert.rejects(async () => await waiting, { code: "REQUEST_ABANDONED" });
  });

  it("lets fewer calls run beside one another while what they compute makes the loop late", async () => {
    const marks = { running: 40 };
    const queue = new TurnQueue(marks);
    await run(queue, () => compute(400));
    let begun = 0;
    const narrowed = await poll(() => {
      const waiting = queue.enter(wanted);
      void Promise.resolve(waiting).then(() => begun++);
      return waiting === undefined ? undefined : true;
    }, { timeoutMs: 5_000, intervalMs: 1 });
    assert.equal(narrowed, true);

    marks.running = 0;
    assert.equal(
      await poll(() => queue.waiting === 0 || undefined, { timeoutMs: 5_000 }),
      true,
    );
    assert.ok(begun > 0);
  });
});
