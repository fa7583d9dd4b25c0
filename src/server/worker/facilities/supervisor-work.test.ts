import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PlatformError } from "../../../errors/platform-error.ts";
import type { NewInvocation } from "../../../service/durable-work.ts";
import { TestClock } from "../../../service/testing/test-clock.ts";
import { silentLogger } from "../../../telemetry/logger.ts";
import type { Requests } from "../protocol.ts";
import { SupervisorWork } from "./supervisor-work.ts";

interface Asked {
  readonly topic: keyof Requests;
  readonly body: object;
}

/** A supervisor that answers what the test says. */
function makeWork(answer: (asked: Asked) => unknown) {
  const clock = new TestClock(0);
  const asked: Asked[] = [];
  const link = {
    request: async <T extends keyof Requests>(topic: T, body: Requests[T]["body"]) => {
      const one = { topic, body: { ...body } };
      asked.push(one);
      return await answer(one) as Requests[T]["reply"]; // the test's business
    },
  };
  return { clock, asked, work: new SupervisorWork({ link, clock, logger: silentLogger }) };
}

const invocation: NewInvocation = {
  service: "ship",
  input: { id: 7 },
  cid: "cid-1",
  delayMs: 0,
  attemptsMax: 5,
  retryMs: 1_000,
  callback: undefined,
};
const never = new AbortController().signal;
const times = { ttlMs: 3_000, waitMs: 1_000, signal: never };
const topics = (asked: readonly Asked[]) => asked.map(({ topic }) => topic);

describe("SupervisorWork", () => {
  it("hands invocations over and takes them back", async () => {
    const { work, asked } = makeWork(({ topic }) => topic === "enqueue" ? "id-1" : true);

    assert.equal(await work.enqueue(invocation), "id-1");
    assert.equal(await work.cancel("id-1"), true);
    assert.deepEqual(asked, [
      { topic: "enqueue", body: { ...invocation } },
      { topic: "cancel", body: { id: "id-1" } },
    ]);
  });

  it("rejects with the supervisor's error, and for inputs that are no JSON", async () => {
    const { work, asked } = makeWork(() => {
      throw new PlatformError("ODB_UNREACHABLE", { address: "a", reason: "b" });
    });

    await assert.rejects(work.enqueue(invocation), { code: "ODB_UNREACHABLE" });
    await assert.rejects(work.enqueue({ ...invocation, input: { n: 1n } }), {
      code: "VALUE_NOT_JSON",
      message: /^The input for the service "ship" cannot be written as JSON/,
    });
    assert.equal(asked.length, 1);
  });

  it("takes, renews and releases a lock as one owner", async () => {
    const { work, clock, asked } = makeWork(({ topic }) => topic === "lock" ? 42 : true);

    const lock = await work.acquireLock("orders", times);
    await clock.advance(2_500);
    await lock?.release();

    assert.equal(lock?.token, 42);
    assert.deepEqual(topics(asked), ["lock", "renewLock", "renewLock", "unlock"]);
    assert.equal(new Set(asked.map(({ body }) => "owner" in body && body.owner)).size, 1);
    assert.equal(clock.waiting, 0);
  });

  it("gives no lock when somebody else held it all the time", async () => {
    const { work } = makeWork(() => null);

    assert.equal(await work.acquireLock("orders", times), undefined);
  });

  it("renews at once a lock that came after a long wait, to know its time", async () => {
    const granted = Promise.withResolvers<number>();
    const { work, clock, asked } = makeWork(({ topic }) =>
      topic === "lock" ? granted.promise : true
    );

    const acquiring = work.acquireLock("orders", { ...times, waitMs: 60_000 });
    await clock.advance(50_000);
    granted.resolve(1);
    const lock = await acquiring;

    assert.deepEqual(topics(asked), ["lock", "renewLock"]);
    assert.equal(lock?.signal.aborted, false);
    await lock?.release();
  });

  it("gives back a lock that comes when nobody waits any more", async () => {
    const granted = Promise.withResolvers<number>();
    const { work, clock, asked } = makeWork(({ topic }) =>
      topic === "lock" ? granted.promise : true
    );
    const abort = new AbortController();

    const acquiring = work.acquireLock("orders", { ...times, signal: abort.signal });
    abort.abort(new Error("gone"));
    await assert.rejects(acquiring, /gone/);
    granted.resolve(1);
    await clock.advance(0);

    assert.deepEqual(topics(asked), ["lock", "unlock"]);
  });

  it("does not fail what is done when a lock cannot be released", async () => {
    const { work } = makeWork(({ topic }) => {
      if (topic === "lock") return 1;
      throw new PlatformError("ODB_UNREACHABLE", { address: "a", reason: "b" });
    });

    await (await work.acquireLock("orders", times))?.release();
  });
});
