import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { KeyFixture, problemOf } from "./key-fixture.ts";

let keys: KeyFixture;

before(async () => {
  keys = await KeyFixture.open();
});

after(async () => {
  await keys?.[Symbol.asyncDispose]();
});

/** Of a client that does not wait long. */
const hurried = { "X-Dragoman-Timeout-Ms": "300" };

describe("A request with an idempotency key, once it has begun,", () => {
  it("is executed to its end when its client leaves", async () => {
    const key = randomUUID();
    const wait = keys.file(key);
    const leave = new AbortController();
    const leaving = keys.post("/patient", key, { what: key, wait }, { signal: leave.signal });
    const other = keys.post("/patient", undefined, { what: `${key} plain`, wait }, {
      signal: leave.signal,
    });
    for (const what of [key, `${key} plain`]) await keys.executed(what);
    leave.abort();
    await Promise.allSettled([leaving, other]);
    await keys.executed(`left ${key} plain`); // so the worker knows of both
    await writeFile(wait, "");
    const again = await keys.post("/patient", key, { what: key, wait });

    assert.equal(again.status, 200);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.deepEqual([await keys.executions(key), await keys.executions(`left ${key}`)], [1, 0]);
  });

  it("is executed to its end when its client waits less than the channel", async () => {
    const key = randomUUID();
    const wait = keys.file(key);
    const late = await keys.post("/patient", key, { what: key, wait }, { headers: hurried });
    await writeFile(wait, "");
    const again = await keys.post("/patient", key, { what: key, wait });

    assert.equal(late.status, 504);
    assert.equal(again.status, 200);
    assert.equal((await again.json()).hasTime, true);
    assert.deepEqual([await keys.executions(key), await keys.executions(`left ${key}`)], [1, 0]);
  });

  it("has the channel's time, and no more, when its client waits less", async () => {
    const key = randomUUID();
    const wait = keys.file(key);
    const late = await keys.post("/short", key, { what: key, wait }, { headers: hurried });
    await keys.executed(`left ${key}`);
    await writeFile(wait, "");
    const again = await keys.post("/short", key, { what: key, wait });

    assert.match(String((await problemOf(late))["detail"]), /300 ms/);
    const { httpStatus, code } = await problemOf(again);
    assert.deepEqual([httpStatus, code], [504, "REQUEST_TIMEOUT"]);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
  });
});

describe("Without the ODB, a request with a key", () => {
  it("is not executed, and says when to come again", async () => {
    const key = randomUUID();
    keys.supervisor.isAway = true;
    const refused = await keys.post("/pay", key, { what: key });
    const plain = await keys.post("/pay", undefined, { what: `${key} plain` });
    keys.supervisor.isAway = false;
    const taken = await poll(async () => {
      const answer = await keys.post("/pay", key, { what: key });
      return answer.status === 201 ? answer : undefined;
    }, { timeoutMs: 10_000 });

    assert.equal(refused.headers.get("retry-after"), "1");
    const { httpStatus, code } = await problemOf(refused);
    assert.deepEqual([httpStatus, code], [503, "REQUEST_KEY_UNAVAILABLE"]);
    assert.equal(plain.status, 201);
    assert.equal(taken?.headers.get("idempotency-replayed"), null);
    assert.equal(await keys.executions(key), 1);
  });

  it("that was being executed is answered, and its answer is kept later", async () => {
    const key = randomUUID();
    const wait = keys.file(key);
    const asking = keys.post("/slow", key, { what: key, wait });
    await keys.executed(key);
    keys.supervisor.isAway = true;
    await writeFile(wait, "");
    const first = await asking;
    keys.supervisor.isAway = false;
    const again = await poll(async () => {
      const answer = await keys.post("/slow", key, { what: key, wait });
      return answer.status === 200 ? answer : undefined;
    }, { timeoutMs: 10_000 });

    assert.equal(first.status, 200);
    assert.deepEqual(await again?.json(), await first.json());
    assert.equal(await keys.executions(key), 1);
  });
});

describe("A worker that drains", () => {
  it("has kept the answers that nobody waits for when it ends", async () => {
    const key = randomUUID();
    const wait = keys.file(key);
    const late = await keys.post("/patient", key, { what: key, wait }, { headers: hurried });
    keys.worker.send({ type: "drain", timeoutMs: 10_000, isHandover: false });
    await keys.worker.message("closed");
    await writeFile(wait, "");
    await keys.worker.exited;
    await keys.replaceWorker();
    const again = await keys.post("/patient", key, { what: key, wait });

    assert.deepEqual([late.status, again.status], [504, 200]);
    assert.equal(await keys.executions(key), 1);
  });
});

describe("When the worker that executes a request dies", () => {
  it("nobody executes it again unless the channel says so", async () => {
    const [key, other] = [randomUUID(), randomUUID()];
    const wait = keys.file(key);
    const asking = Promise.allSettled([
      keys.post("/slow", key, { what: key, wait }),
      keys.post("/again", other, { what: other, wait }),
    ]);
    for (const what of [key, other]) await keys.executed(what);
    await keys.replaceWorker();
    await asking;
    const refused = await keys.post("/slow", key, { what: key, wait });
    const repeating = keys.post("/again", other, { what: other, wait });
    await writeFile(wait, "");
    const repeated = await repeating;

    const { httpStatus, code, detail } = await problemOf(refused);
    assert.deepEqual([httpStatus, code], [409, "REQUEST_KEY_UNKNOWN"]);
    assert.match(String(detail), /cannot be known/);
    assert.deepEqual([repeated.status, repeated.headers.get("idempotency-replayed")], [200, null]);
    assert.equal(await keys.executions(key), 1);
    assert.equal(await keys.executions(other), 2);
  });
});
