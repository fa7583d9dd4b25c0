import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Deadlines } from "./deadlines.ts";

describe("Deadlines", () => {
  it("expire in order, each once, and only those that were not cancelled", async () => {
    const deadlines = new Deadlines();
    const expired: string[] = [];
    const now = performance.now();
    const last = new Promise<void>((resolve) => {
      const start = (name: string, limitMs: number) =>
        deadlines.start(now, {
          limitMs,
          expire: () => {
            expired.push(name);
            if (name === "last") resolve();
          },
        });
      start("first", 1);
      const cancelled = [start("a", 1), start("b", 30), start("c", 60)];
      start("second", 30);
      start("last", 60);
      for (const deadline of [...cancelled, cancelled[0]!]) deadline.cancel();
    });

    await last;

    assert.deepEqual(expired, ["first", "second", "last"]);
  });

  it("work again after a pause with none", async () => {
    const deadlines = new Deadlines();
    for (let round = 0; round < 2; round++) {
      await new Promise<void>((resolve) => {
        deadlines.start(performance.now(), { limitMs: 1, expire: resolve });
      });
    }
  });

  it("ask only what goes on for its limit, and that once", async () => {
    const deadlines = new Deadlines();
    let asked = 0;
    const target = (expire: () => void) => ({
      get limitMs() {
        asked++;
        return 60;
      },
      expire,
    });

    deadlines.start(performance.now(), target(() => assert.fail("It was cancelled"))).cancel();
    await new Promise<void>((resolve) => deadlines.start(performance.now(), target(resolve)));

    assert.equal(asked, 1);
  });
});
