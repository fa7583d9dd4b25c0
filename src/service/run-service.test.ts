import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { defineService, type Service } from "./define-service.ts";
import { ServiceError, z } from "./index.ts";
import { createFakeCall, type FakeCall } from "./running/fake-call.ts";
import { invokeService, runService } from "./run-service.ts";

/** Runs a service as a channel does. */
async function run(fake: FakeCall, service: Service, input: unknown = {}): Promise<unknown> {
  return await runService(fake.call.runtime.services.get(service.name)!, input, fake.call);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => "no error", (reason: unknown) => reason);
  return isPlatformError(error) ? error.code : String(error);
}

describe("A service with handlers for methods", () => {
  const both = defineService({
    name: "both",
    get: () => "get",
    post: () => "post",
    handle: () => "handle",
  });
  const verbs = defineService({ name: "verbs", get: () => "get", delete: () => "delete" });
  const cases: readonly [Service, string, string][] = [
    [both, "GET", "get"],
    [both, "POST", "post"],
    [both, "HEAD", "get"],
    [both, "PATCH", "handle"],
    [both, "", "handle"],
    [verbs, "DELETE", "delete"],
    [verbs, "HEAD", "get"],
  ];
  for (const [service, method, expected] of cases) {
    it(`answers ${method || "a call without a method"} of ${service.name}`, async () => {
      assert.equal(await run(createFakeCall({ services: [service], method }), service), expected);
    });
  }

  it("says which methods it has, where that is all", () => {
    assert.deepEqual([both.methods, verbs.methods], [undefined, ["GET", "DELETE"]]);
  });

  it("refuses other methods, and calls that have none", async () => {
    const put = createFakeCall({ services: [verbs], method: "PUT" });
    assert.equal(await codeOf(run(put, verbs)), "REQUEST_METHOD");
    // A service that invokes it is no HTTP request, whatever its own caller is.
    const get = createFakeCall({ services: [verbs], method: "GET" });
    await assert.rejects(invokeService("verbs", {}, get.call), {
      code: "SERVICE_NO_HANDLER",
      message: /"verbs" has no handler for calls that are not HTTP requests, only for GET, DELETE/,
    });
    assert.equal(get.running.get(1), 0);
  });
});

describe("A service with hooks", () => {
  const steps = (more: Record<string, unknown>) => {
    const log: string[] = [];
    const service = defineService({
      name: "hooked",
      input: z.object({ fails: z.boolean().default(false) }),
      output: z.string(),
      before: () => void log.push("before"),
      after: (_, outcome) => void log.push(outcome.ok ? `after ${outcome.output}` : "after error"),
      handle: ({ input }) => {
        log.push("handle");
        if (input.fails) throw new Error("handle failed");
        return "done";
      },
      ...more,
    });
    return { log, service, fake: createFakeCall({ services: [service] }) };
  };

  it("calls them in order", async () => {
    const { log, service, fake } = steps({});

    assert.equal(await run(fake, service), "done");
    assert.deepEqual(log, ["before", "handle", "after done"]);
  });

  it("calls after, and leaves nothing running, when the handler throws", async () => {
    const { log, service, fake } = steps({});

    await assert.rejects(run(fake, service, { fails: true }), /handle failed/);
    assert.deepEqual(log, ["before", "handle", "after error"]);
    assert.equal(fake.running.get(1), 0);
  });

  it("does not call the handler when before throws", async () => {
    const { log, service, fake } = steps({
      before: () => Promise.reject(new ServiceError(403, "Not you")),
    });

    await assert.rejects(run(fake, service), /Not you/);
    assert.deepEqual(log, ["after error"]);
  });

  it("logs what after throws, and answers as if it had not", async () => {
    const { service, fake } = steps({
      after: () => {
        throw new Error("bookkeeping failed");
      },
    });

    assert.equal(await run(fake, service), "done");
    await assert.rejects(run(fake, service, { fails: true }), /handle failed/);
    assert.deepEqual(fake.lines.map(({ level, msg, service, cid }) => [level, msg, service, cid]), [
      ["error", "The hook after failed", "hooked", "cid-1"],
      ["error", "The hook after failed", "hooked", "cid-1"],
    ]);
  });

  it("answers what onError returns", async () => {
    const { log, service, fake } = steps({ onError: () => "instead" });

    assert.equal(await run(fake, service, { fails: true }), "instead");
    assert.deepEqual(log, ["before", "handle", "after instead"]);
  });

  it("fails with what onError throws, and with the first error when it returns nothing", async () => {
    const other = steps({
      onError: (error: Error) => {
        throw new ServiceError(409, `was: ${error.message}`);
      },
    });
    await assert.rejects(run(other.fake, other.service, { fails: true }), /was: handle failed/);

    const same = steps({ onError: async () => {} });
    await assert.rejects(run(same.fake, same.service, { fails: true }), /handle failed/);
  });

  it("checks what it answers, also in place of an error", async () => {
    const wrong = steps({ handle: () => 1, onError: undefined });
    assert.equal(await codeOf(run(wrong.fake, wrong.service)), "SERVICE_OUTPUT_INVALID");

    const mended = steps({ handle: () => 1, onError: () => "mended" });
    assert.equal(await run(mended.fake, mended.service), "mended");

    const worse = steps({ onError: () => 2 });
    const code = await codeOf(run(worse.fake, worse.service, { fails: true }));
    assert.equal(code, "SERVICE_OUTPUT_INVALID");
  });
});

describe("A service with limits", () => {
  /** Runs until it is released. */
  const held = (limits: { maxConcurrent: number; queueMax: number }) => {
    const entered: number[] = [];
    const releases: (() => void)[] = [];
    const service = defineService({
      name: "held",
      ...limits,
      async handle({ input }) {
        entered.push(input as number); // the test's own numbers
        await new Promise<void>((resolve) => releases.push(resolve));
        return input;
      },
    });
    return { service, entered, releases };
  };

  it("runs so many, lets so many wait in order, and sends the others away", async () => {
    const { service, entered, releases } = held({ maxConcurrent: 2, queueMax: 2 });
    const fake = createFakeCall({ services: [service] });

    const calls = [1, 2, 3, 4].map((n) => run(fake, service, n));
    await assert.rejects(run(fake, service, 5), {
      code: "SERVICE_BUSY",
      status: 503,
      retryAfterMs: 1_000,
      details: { service: "held", running: 2, waiting: 2 },
    });

    assert.deepEqual(entered, [1, 2]);
    releases.shift()!();
    assert.equal(await calls[0], 1);
    releases.shift()!();
    assert.equal(await calls[1], 2);
    assert.deepEqual(entered, [1, 2, 3, 4]);
    for (const release of releases) release();
    assert.deepEqual(await Promise.all(calls), [1, 2, 3, 4]);
    assert.deepEqual(fake.dropped, []);
  });

  it("drops who waits when the client has gone, without running it", async () => {
    const { service, entered, releases } = held({ maxConcurrent: 1, queueMax: 9 });
    const first = createFakeCall({ services: [service] });
    const runnable = first.call.runtime.services.get("held")!;
    const gone = createFakeCall();
    const running = run(first, service, 1);

    const waiting = Promise.resolve(runService(runnable, 2, gone.call));
    gone.abort(new DOMException("The client has gone", "AbortError"));

    assert.equal(await codeOf(waiting), "REQUEST_ABANDONED");
    assert.deepEqual(gone.dropped, [1]);
    releases.shift()!();
    await running;
    assert.deepEqual([entered, runnable.gate?.running, runnable.gate?.waiting], [[1], 0, 0]);
  });

  it("drops who waits when its time is over, though nobody has said so yet", async () => {
    const { service, entered, releases } = held({ maxConcurrent: 1, queueMax: 9 });
    const fake = createFakeCall({ services: [service], limitMs: 100 });
    const running = run(fake, service, 1);
    const waiting = run(fake, service, 2);
    fake.clock.advance(100);

    releases.shift()!();

    assert.equal(await codeOf(waiting), "REQUEST_ABANDONED");
    assert.equal(await running, 1);
    assert.deepEqual([entered, fake.dropped], [[1], [1]]);
  });

  it("gives a place back when the handler throws", async () => {
    const service = defineService({
      name: "throws",
      maxConcurrent: 1,
      queueMax: 0,
      handle(): string {
        throw new Error("no");
      },
    });
    const fake = createFakeCall({ services: [service] });

    await assert.rejects(run(fake, service), /no/);
    await assert.rejects(run(fake, service), /no/);
  });

  it("logs calls that take longer than slowMs", async () => {
    const service = defineService({
      name: "slow",
      slowMs: 0.001,
      handle: () => new Promise((resolve) => setTimeout(resolve, 2)),
    });
    const fake = createFakeCall({ services: [service] });

    await run(fake, service);

    const [line] = fake.lines;
    assert.deepEqual([line?.["level"], line?.["msg"], line?.["service"], line?.["slowMs"]], [
      "warn",
      "Service was slow",
      "slow",
      0.001,
    ]);
  });
});

describe("A service invoked by a service", () => {
  const never = (signals: AbortSignal[]) =>
    defineService({
      name: "never",
      timeoutMs: 500,
      async handle({ signal, remaining }) {
        signals.push(signal);
        await Promise.race([]);
        return remaining();
      },
    });

  it("has its own time, within its caller's", async () => {
    const signals: AbortSignal[] = [];
    const service = never(signals);
    const fake = createFakeCall({ services: [service], limitMs: 10_000 });

    const call = invokeService("never", {}, fake.call);
    await Promise.resolve();
    fake.clock.advance(500);

    await assert.rejects(call, {
      code: "REQUEST_TIMEOUT",
      message: "The service did not answer within 500 ms",
    });
    assert.equal(signals[0]?.aborted, true);
    assert.ok(isPlatformError(signals[0]?.reason, "REQUEST_TIMEOUT"));
    assert.equal(fake.call.signal.aborted, false);
  });

  it("can be given less time, and shares its timers", async () => {
    const service = defineService({
      name: "quick",
      timeoutMs: 500,
      async handle({ remaining }) {
        await Promise.resolve();
        return remaining();
      },
    });
    const fake = createFakeCall({ services: [service] });

    assert.equal(await invokeService("quick", {}, fake.call), 500);
    assert.equal(await invokeService("quick", {}, fake.call, { timeoutMs: 50 }), 50);
    assert.equal(await invokeService("quick", {}, fake.call, { timeoutMs: 900 }), 500);
    fake.clock.advance(9_800);
    assert.equal(await invokeService("quick", {}, fake.call), 200);
    for (let n = 0; n < 20; n++) await invokeService("quick", {}, fake.call);
    assert.equal(fake.clock.sleeping, 0); // all have ended, and their timers with the time
  });

  it("hears of its caller's end", async () => {
    const signals: AbortSignal[] = [];
    const fake = createFakeCall({ services: [never(signals)] });
    const call = invokeService("never", {}, fake.call);
    await Promise.resolve();

    const reason = new PlatformError("REQUEST_TIMEOUT", { timeoutMs: 10 });
    fake.abort(reason);

    assert.equal(signals[0]?.reason, reason);
    await assert.rejects(call, reason);
  });

  it("does not run when no time is left", async () => {
    let runs = 0;
    const service = defineService({ name: "late", handle: () => ++runs });
    const fake = createFakeCall({ services: [service], limitMs: 0 });

    assert.equal(await codeOf(invokeService("late", {}, fake.call)), "REQUEST_ABANDONED");
    assert.deepEqual([runs, fake.dropped], [0, [1]]);
  });

  it("has its hooks and limits though it is deployed nowhere", async () => {
    let calls = 0;
    const service = defineService({
      name: "private",
      maxConcurrent: 1,
      queueMax: 0,
      before: () => void calls++,
      handle: () => Promise.race([]),
    });
    const fake = createFakeCall();
    void invokeService(service, {}, fake.call);

    assert.equal(await codeOf(invokeService(service, {}, fake.call)), "SERVICE_BUSY");
    assert.equal(calls, 1);
  });
});

describe("The settings of a service", () => {
  const service = defineService({
    name: "set",
    timeoutMs: 1_000,
    async handle({ log, remaining }) {
      await Promise.resolve();
      log.debug("seen");
      return remaining();
    },
  });
  const settings = { service: "set", active: true };

  it("go before what its author said", async () => {
    const fake = createFakeCall({
      services: [service],
      settings: [{ ...settings, timeoutMs: 40, maxConcurrent: 1, queueMax: 0 }],
    });

    assert.equal(await invokeService(service, {}, fake.call), 40);
    const [, second] = [1, 2].map(() => invokeService("set", {}, fake.call));
    assert.equal(await codeOf(second!), "SERVICE_BUSY");
  });

  it("change the level of its log", async () => {
    const quiet = createFakeCall({ services: [service], settings: [settings] });
    await invokeService(service, {}, quiet.call);
    assert.deepEqual(quiet.lines, []);

    const wordy = createFakeCall({
      services: [service],
      settings: [{ ...settings, logLevel: "debug" }],
    });
    await invokeService(service, {}, wordy.call);
    assert.deepEqual(wordy.lines.map(({ msg }) => msg), ["seen"]);
  });

  it("switch it off", async () => {
    const fake = createFakeCall({
      services: [service],
      settings: [{ ...settings, active: false }],
    });

    await assert.rejects(invokeService(service, {}, fake.call), {
      code: "SERVICE_INACTIVE",
      status: 503,
    });
  });
});
