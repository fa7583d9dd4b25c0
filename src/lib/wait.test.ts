import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { delay, poll, withTimeout } from "./wait.ts";

describe("delay", () => {
  it("rejects with the signal's reason, at once and while it waits", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    const waiting = delay(60_000, { signal: controller.signal });

    controller.abort(reason);

    await assert.rejects(waiting, (error) => error === reason);
    await assert.rejects(delay(60_000, controller), (error) => error === reason);
  });

  it("resolves without a signal and with one that stays silent", async () => {
    await delay(1);
    await delay(1, { signal: new AbortController().signal });
  });
});

describe("poll", () => {
  it("returns the first thing that is not undefined, null and false included", async () => {
    const answers = [undefined, undefined, null, "late"];
    const found = await poll(() => answers.shift(), { timeoutMs: 60_000, intervalMs: 1 });

    assert.equal(found, null);
    assert.equal(await poll(() => Promise.resolve(false), { timeoutMs: 0 }), false);
  });

  it("asks at least once, and returns undefined when the time is over", async () => {
    let asked = 0;
    const found = await poll(() => void asked++, { timeoutMs: 0, intervalMs: 60_000 });

    assert.deepEqual([found, asked], [undefined, 1]);
  });

  it("does not outlast its time by a long interval", async () => {
    assert.equal(await poll(() => undefined, { timeoutMs: 5, intervalMs: 600_000 }), undefined);
  });

  it("throws what the probe throws, and the signal's reason", async () => {
    const failing = poll(() => Promise.reject(new Error("probe")), { timeoutMs: 60_000 });
    await assert.rejects(failing, /probe/);

    const signal = AbortSignal.abort(new Error("stopped"));
    await assert.rejects(poll(() => undefined, { timeoutMs: 60_000, signal }), /^Error: stopped$/);
  });
});

describe("withTimeout", () => {
  const late = () => new Error("late");

  it("passes on what comes in time, good or bad", async () => {
    assert.equal(await withTimeout(Promise.resolve(1), 60_000, late), 1);
    await assert.rejects(withTimeout(Promise.reject(new Error("own")), 60_000, late), /own/);
  });

  it("rejects with the given error when nothing comes", async () => {
    await assert.rejects(withTimeout(new Promise(() => {}), 1, late), /late/);
  });
});
