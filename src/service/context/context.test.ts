import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import { defineService, type Service } from "../define-service.ts";
import type { DurableWork, LockOptions, NewInvocation } from "../durable-work.ts";
import type { Facilities } from "../facilities.ts";
import { ServiceError, z } from "../index.ts";
import { invokeService } from "../run-service.ts";
import { createFakeCall, type FakeCall, type FakeCallOptions } from "../running/fake-call.ts";
import type { ServiceContext } from "./service-context.ts";

/** Runs `work` as a service's handler. */
async function inService<T>(
  work: (ctx: ServiceContext) => T | Promise<T>,
  options: FakeCallOptions = {},
): Promise<{ readonly output: T; readonly fake: FakeCall }> {
  const fake = createFakeCall(options);
  const service = defineService({ name: "test.caller", handle: work });
  return { output: await invokeService(service, {}, fake.call) as T, fake };
}

const double = defineService({
  name: "double",
  input: z.object({ n: z.number() }),
  output: z.number(),
  handle: ({ input }) => input.n * 2,
});
const refuse = defineService({
  name: "refuse",
  handle(): string {
    throw new ServiceError(409, "Taken");
  },
});

describe("ctx.parallel", () => {
  it("says of each how it ended, in the order in which they were asked for", async () => {
    const { output } = await inService(
      async ({ parallel }) => {
        const { a, b, c, d } = await parallel({
          a: [double, { n: 1 }],
          b: ["double", { n: "wrong" }],
          c: [refuse],
          d: ["missing"],
        });
        const typed: number | undefined = a.ok ? a.value : undefined;
        return [typed, ...[b, c, d].map((one) => one.ok ? one.value : one.error)];
      },
      { services: [double, refuse] },
    );

    assert.equal(output[0], 2);
    assert.deepEqual(output.slice(1).map((error) => isPlatformError(error) ? error.code : error), [
      "SERVICE_INPUT_INVALID",
      new ServiceError(409, "Taken"),
      "SERVICE_UNKNOWN",
    ]);
  });

  it("tells functions and services", async () => {
    const told: unknown[] = [];
    const listener = defineService({
      name: "listener",
      handle: ({ input }) => void told.push(input),
    });
    const seen: string[] = [];

    await inService(async ({ parallel }) => {
      const targets = { a: [double, { n: 1 }], b: [refuse] } as const;
      await parallel(targets, {
        onEach: listener,
        onDone: ({ a }) => void seen.push(`a ${a.ok}`),
        concurrency: 1,
      });
      await parallel({ a: [double, { n: 2 }] }, {
        onEach: (target, { ok }) => void seen.push(`${target} ${ok}`),
        onDone: "listener",
      });
    }, { services: [double, refuse, listener] });

    assert.deepEqual(seen, ["a true", "a true"]);
    assert.deepEqual(told, [
      { target: "a", service: "double", ok: true, value: 2, durationMs: 0 },
      {
        target: "b",
        service: "refuse",
        ok: false,
        error: { message: "Taken", status: 409 },
        durationMs: 0,
      },
      { outcomes: [{ target: "a", service: "double", ok: true, value: 4, durationMs: 0 }] },
    ]);
  });

  it("rejects with what a callback throws, once all have ended", async () => {
    let ended = 0;
    const counts = defineService({
      name: "counts",
      async handle() {
        await Promise.resolve();
        ended++;
      },
    });
    const onEach = (target: string) => {
      if (target === "a") throw new Error("told too much");
    };

    await assert.rejects(
      inService(({ parallel }) => parallel({ a: [counts], b: [counts], c: [counts] }, { onEach })),
      /told too much/,
    );
    assert.equal(ended, 3);
  });

  it("runs no more at the same time than it may", async () => {
    let running = 0;
    let most = 0;
    const counts = defineService({
      name: "counts",
      async handle() {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve));
        running--;
      },
    });
    const targets = Object.fromEntries(
      Array.from({ length: 10 }, (_, n) => [n, [counts] as const]),
    );

    await inService(({ parallel }) => parallel(targets, { concurrency: 3 }));

    assert.equal(most, 3);
  });

  it("stops the others after a failure where it is told to", async () => {
    const signals: AbortSignal[] = [];
    let runs = 0;
    const waits = defineService({
      name: "waits",
      async handle({ signal }) {
        runs++;
        signals.push(signal);
        await Promise.race([]);
      },
    });

    const { output } = await inService(({ parallel }) =>
      parallel({ a: [waits], b: [refuse], c: [waits] }, { stopOnError: true, concurrency: 2 })
    );

    assert.equal(runs, 1);
    assert.equal(signals[0]?.aborted, true);
    const codes = [output.a, output.c].map((one) => !one.ok && (one.error as PlatformError).code);
    assert.deepEqual(codes, ["PARALLEL_STOPPED", "PARALLEL_STOPPED"]);
  });
});

describe("ctx.retry", () => {
  const failing = (times: number, error: unknown = new Error("not yet")) => {
    let calls = 0;
    return () => {
      if (++calls <= times) throw error;
      return calls;
    };
  };
  /** Lets time pass until `work` has ended; says how much did. */
  const retrying = async (
    work: () => unknown,
    options: Parameters<ServiceContext["retry"]>[1],
    limitMs = 100_000,
  ) => {
    const fake = createFakeCall({ limitMs });
    const service = defineService({
      name: "retrying",
      handle: ({ retry }) => retry(work, { jitter: false, ...options }),
    });
    const startedAt = fake.clock.now();
    let isOver = false;
    const ending = invokeService(service, {}, fake.call).then(
      (output) => ({ output }),
      (error: unknown) => ({ error }),
    ).finally(() => isOver = true);
    for (let turns = 0; !isOver && turns < 10_000; turns++) {
      await Promise.resolve();
      if (fake.clock.sleeping > 0) fake.clock.advance(1);
    }
    return { ...await ending, tookMs: fake.clock.now() - startedAt };
  };

  it("waits longer each time, and answers what came in the end", async () => {
    const ended = await retrying(failing(3), { attempts: 5, firstMs: 100, maxMs: 250 });
    assert.deepEqual(ended, { output: 4, tookMs: 100 + 200 + 250 });
  });

  it("gives up with the last error", async () => {
    const error = new Error("never");
    assert.deepEqual(await retrying(failing(9, error), { attempts: 2, firstMs: 10 }), {
      error,
      tookMs: 10,
    });
  });

  const pointless: readonly [string, unknown][] = [
    ["an answer", new ServiceError(409, "Taken")],
    ["a mistake", new PlatformError("SERVICE_UNKNOWN", { name: "x", hint: "" })],
  ];
  for (const [name, error] of pointless) {
    it(`does not repeat what ended with ${name}`, async () => {
      assert.deepEqual(await retrying(failing(1, error), {}), { error, tookMs: 0 });
    });
  }

  it("repeats what may help, and what `when` says", async () => {
    const peer = new PlatformError("LOCK_BUSY", { name: "x", waitMs: 1 });
    assert.deepEqual(await retrying(failing(1, peer), {}), { output: 2, tookMs: 100 });
    const taken = new ServiceError(409, "Taken");
    const when = (error: unknown) => error === taken;
    assert.deepEqual(await retrying(failing(1, taken), { when }), { output: 2, tookMs: 100 });
  });

  it("does not wait for what would come after the deadline", async () => {
    const error = new Error("not yet");
    assert.deepEqual(await retrying(failing(9, error), { attempts: 9, firstMs: 60 }, 100), {
      error,
      tookMs: 60,
    });
  });
});

/** Keeps nothing, and says what it was asked. */
function fakeDurable(more: Partial<DurableWork> = {}) {
  const kept: NewInvocation[] = [];
  const durable: DurableWork = {
    enqueue: (invocation) => Promise.resolve(`id-${kept.push(invocation)}`),
    cancel: (id) => Promise.resolve(id === "id-1"),
    acquireLock: () => Promise.resolve(undefined),
    ...more,
  };
  return { kept, facilities: { durable } };
}

describe("ctx.invokeAsync and ctx.schedule", () => {
  it("hand over a checked, plain input with what the call brings", async () => {
    const { kept, facilities } = fakeDurable();
    const services = [double, refuse];

    const { output } = await inService(async ({ invokeAsync, schedule, time }) => [
      await invokeAsync(double, { n: 1 }),
      await invokeAsync("refuse", undefined, { attempts: 1, callback: double }),
      await schedule.after(5_000, double, { n: 2 }, { retryMs: 7 }),
      await schedule.at(new Date(time.now().getTime() + 60), "double", { n: 3 }),
      await schedule.at(new Date(0), double, { n: 4 }),
      await schedule.cancel("id-1"),
      await schedule.cancel("id-9"),
    ], { services, facilities });

    assert.deepEqual(output, [
      ...["id-1", "id-2", "id-3", "id-4", "id-5"].map((id) => ({ id })),
      true,
      false,
    ]);
    const common = {
      cid: "cid-1",
      delayMs: 0,
      attemptsMax: 5,
      retryMs: 1_000,
      callback: undefined,
    };
    assert.deepEqual(kept, [
      { ...common, service: "double", input: { n: 1 } },
      { ...common, service: "refuse", input: {}, attemptsMax: 1, callback: "double" },
      { ...common, service: "double", input: { n: 2 }, delayMs: 5_000, retryMs: 7 },
      { ...common, service: "double", input: { n: 3 }, delayMs: 60 },
      { ...common, service: "double", input: { n: 4 } },
    ]);
  });

  const wrong: readonly [string, (ctx: ServiceContext) => Promise<unknown>, string][] = [
    ["an unknown service", ({ invokeAsync }) => invokeAsync("doubel", {}), "SERVICE_UNKNOWN"],
    ["one that is not deployed", ({ invokeAsync }) => invokeAsync(refuse), "SERVICE_UNKNOWN"],
    [
      "an unknown callback",
      ({ invokeAsync }) => invokeAsync(double, { n: 1 }, { callback: "nobody" }),
      "SERVICE_UNKNOWN",
    ],
    [
      "a wrong input",
      ({ invokeAsync }) => invokeAsync("double", { n: "1" }),
      "SERVICE_INPUT_INVALID",
    ],
    [
      "an input that is not JSON",
      ({ invokeAsync }) => invokeAsync("double", { n: 1n }),
      "SERVICE_INPUT_INVALID",
    ],
  ];
  for (const [name, work, code] of wrong) {
    it(`refuse ${name}`, async () => {
      const { kept, facilities } = fakeDurable();
      await assert.rejects(inService(work, { services: [double], facilities }), { code });
      assert.deepEqual(kept, []);
    });
  }
});

describe("ctx.lock", () => {
  const held = () => {
    const asked: [string, Omit<LockOptions, "signal">][] = [];
    const lost = new AbortController();
    let released = 0;
    const { facilities } = fakeDurable({
      acquireLock: (name, { ttlMs, waitMs }) => {
        asked.push([name, { ttlMs, waitMs }]);
        const release = () => Promise.resolve(void released++);
        return Promise.resolve({ token: 7, signal: lost.signal, release });
      },
    });
    return { asked, lost, facilities, released: () => released };
  };

  it("runs what it is given while it holds the lock, then releases it", async () => {
    const { asked, facilities, released } = held();

    const { output } = await inService(async ({ lock }) => [
      await lock("orders", ({ token }) => `${token} ${released()}`),
      await lock("orders", { ttlMs: 5, waitMs: 0 }, () => released()),
    ], { facilities, limitMs: 8_000 });

    assert.deepEqual(output, ["7 0", 1]);
    assert.equal(released(), 2);
    assert.deepEqual(asked, [
      ["orders", { ttlMs: 30_000, waitMs: 8_000 }], // no longer than the call may take
      ["orders", { ttlMs: 5, waitMs: 0 }],
    ]);
  });

  it("releases it when that throws", async () => {
    const { facilities, released } = held();

    await assert.rejects(
      inService(({ lock }) => lock("orders", () => Promise.reject(new Error("no"))), {
        facilities,
      }),
      /no/,
    );
    assert.equal(released(), 1);
  });

  it("is LOCK_BUSY when somebody else has it", async () => {
    const { facilities } = fakeDurable();
    await assert.rejects(
      inService(({ lock }) => lock("orders", { waitMs: 5 }, () => 1), { facilities }),
      { code: "LOCK_BUSY", message: 'The lock "orders" was held by somebody else for 5 ms' },
    );
  });

  it("is LOCK_LOST when it was lost meanwhile, and says so in time", async () => {
    const { facilities, lost } = held();
    let heard = false;
    const work = ({ lock }: ServiceContext) =>
      lock("orders", ({ signal }) => {
        lost.abort();
        heard = signal.aborted;
      });

    await assert.rejects(inService(work, { facilities }), { code: "LOCK_LOST" });
    assert.equal(heard, true);
  });
});

describe("A service's context", () => {
  it("hands its call to outgoing connections, threads and clients of sockets", async () => {
    const asked: unknown[] = [];
    const facilities = {
      outgoing: {
        client: (protocol: string, name: string, call: { remaining(): number }) => {
          asked.push([protocol, name, call.remaining()]);
          return {};
        },
      },
      push: {
        send: (...sent: unknown[]) => {
          asked.push(sent);
          return Promise.resolve();
        },
      },
      dictionaries: {
        translate: (_: string, { value }: { value: string }) =>
          value === "PL" ? "Poland" : undefined,
      },
    } as unknown as Facilities; // what this test uses
    const limited = defineService({
      name: "limited",
      timeoutMs: 300,
      handle: async ({ out, push, translate }) => {
        out.rest("CRM");
        out.soap("Bank");
        await push("chat").send("hello", { topic: "news" });
        const word = { from: "crm", to: "erp" };
        return [
          translate("countries", { ...word, value: "PL" }),
          translate("countries", { ...word, value: "XX" }),
          translate("countries", { ...word, value: "XX" }, "?"),
        ];
      },
    }) as Service;

    const { output } = await inService(({ invoke }) => invoke(limited, {}), { facilities });

    assert.deepEqual(output, ["Poland", undefined, "?"]);
    assert.deepEqual(asked, [
      ["rest", "CRM", 300], // within the time of the service that asks
      ["soap", "Bank", 300],
      ["chat", "hello", { topic: "news" }],
    ]);
  });
});
