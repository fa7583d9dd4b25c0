import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import { defineService, ServiceError, z } from "../index.ts";
import { createTestKit, type RestScripts } from "./index.ts";

const greet = defineService({
  name: "greet",
  input: z.object({ name: z.string().min(1), times: z.int().default(1) }),
  output: z.object({ text: z.string() }),
  handle({ input, log }) {
    log.info("greeted", { name: input.name });
    return { text: `Hello, ${input.name}! `.repeat(input.times).trim() };
  },
});

describe("kit.run", () => {
  it("answers as a channel does, typed by the service", async () => {
    const kit = createTestKit();

    const { output, status, log, calls, durationMs } = await kit.run(greet, { name: "Ada" });

    const text: string = output.text;
    assert.equal(text, "Hello, Ada!");
    assert.equal(status, 200);
    assert.deepEqual(log, [{
      level: "info",
      message: "greeted",
      fields: { service: "greet", cid: "cid-1", name: "Ada" },
    }]);
    assert.deepEqual([calls, durationMs], [[], 0]);
    // @ts-expect-error -- the service takes a text
    await assert.rejects(kit.run(greet, { name: 7 }));
    // @ts-expect-error -- the service does not return that
    assert.equal(output.other, undefined);
  });

  it("refuses an input that does not match, with a pointer", async () => {
    const { code, status, details } = await createTestKit().fails(greet, { name: "", times: "x" });

    assert.equal(code, "REQUEST_INPUT_INVALID");
    assert.equal(status, 400);
    const { errors } = details as { errors: { pointer: string }[] };
    assert.deepEqual(errors.map(({ pointer }) => pointer), ["/name", "/times"]);
  });

  it("refuses an output that does not match", async () => {
    const broken = defineService({
      name: "broken",
      output: z.object({ id: z.int() }),
      handle: () => ({ id: "seven" as unknown as number }),
    });

    const failure = await createTestKit().fails(broken, {});

    assert.deepEqual([failure.code, failure.status], ["SERVICE_OUTPUT_INVALID", 500]);
  });

  it("refuses an output that no channel could send", async () => {
    const cyclic = defineService({
      name: "cyclic",
      handle() {
        const one: Record<string, unknown> = {};
        return one["self"] = one;
      },
    });

    assert.equal((await createTestKit().fails(cyclic, {})).code, "SERVICE_OUTPUT_NOT_JSON");
  });

  it("gives the service its request, and tells status and headers", async () => {
    const create = defineService({
      name: "create",
      handle({ request, response }) {
        response.status = 201;
        response.headers.set("Location", `/things/${request.query.get("id")}`);
        return { who: request.principal?.name, roles: request.principal?.roles, ...request.params };
      },
    });

    const { output, status, headers } = await createTestKit().run(create, {}, {
      query: { id: "7" },
      params: { kind: "box" },
      principal: { name: "shop", roles: ["writer"] },
    });

    assert.deepEqual(output, { who: "shop", roles: ["writer"], kind: "box" });
    assert.equal(status, 201);
    assert.equal(headers.get("location"), "/things/7");
  });

  it("picks the handler by the method", async () => {
    const thing = defineService({ name: "thing", get: () => "got", post: () => "posted" });
    const kit = createTestKit();

    assert.equal((await kit.run(thing, {})).output, "got");
    assert.equal((await kit.run(thing, {}, { method: "POST" })).output, "posted");
    assert.equal((await kit.fails(thing, {}, { method: "DELETE" })).status, 405);
  });

  it("gives raw bodies to services that ask for them", async () => {
    const key = "k";
    const hook = defineService({
      name: "hook",
      rawBody: true,
      handle: ({ request }) => createHmac("sha256", key).update(request.rawBody).digest("hex"),
    });
    const rawBody = '{ "a" : 1 }';

    const { output } = await createTestKit().run(hook, { a: 1 }, { rawBody });

    assert.equal(output, createHmac("sha256", key).update(rawBody).digest("hex"));
  });

  it("gives streamed bodies to services that ask for them", async () => {
    const size = defineService({
      name: "size",
      streamBody: true,
      async handle({ request }) {
        let bytes = 0;
        for await (const chunk of request.body!) bytes += chunk.length;
        return bytes;
      },
    });

    assert.equal((await createTestKit().run(size, {}, { body: "äb" })).output, 3);
  });

  it("rejects with what the service throws, and says what a client would get", async () => {
    const refuse = defineService({
      name: "refuse",
      handle() {
        throw new ServiceError(409, "Taken", { details: { by: "Ada" } });
      },
    });
    const crash = defineService({
      name: "crash",
      handle() {
        throw new TypeError("oops");
      },
    });
    const kit = createTestKit();

    await assert.rejects(kit.run(refuse, {}), { name: "ServiceError", message: "Taken" });
    await assert.rejects(kit.run(crash, {}), { name: "TypeError", message: "oops" });
    const { status, details } = await kit.fails(refuse, {});
    assert.deepEqual([status, details], [409, { by: "Ada" }]);
    assert.equal((await kit.fails(crash, {})).status, 500);
  });

  it("does not take success for failure", async () => {
    await assert.rejects(createTestKit().fails(greet, { name: "Ada" }), { name: "AssertionError" });
  });

  it("lets services invoke one another, by value and by name", async () => {
    const twice = defineService({
      name: "twice",
      handle: async ({ invoke }) => [
        await invoke(greet, { name: "A" }),
        await invoke("greet", { name: "B" }),
      ],
    });
    const kit = createTestKit({ services: [greet] });

    const { output, log } = await kit.run(twice, {});

    assert.deepEqual(output, [{ text: "Hello, A!" }, { text: "Hello, B!" }]);
    assert.deepEqual(log.map(({ fields }) => fields["cid"]), ["cid-1", "cid-1"]);
    assert.equal((await createTestKit().fails(twice, {})).status, 500);
  });

  it("runs hooks", async () => {
    const seen: string[] = [];
    const hooked = defineService({
      name: "hooked",
      onStart: ({ config }) => void seen.push(`start ${config("shop").values["currency"]}`),
      onStop: ({ signal }) => void seen.push(`stop ${signal.aborted}`),
      before: () => void seen.push("before"),
      after: (_, { ok }) => void seen.push(`after ${ok}`),
      handle: () => void seen.push("handle"),
    });
    const kit = createTestKit({ configs: { shop: { values: { currency: "EUR" } } } });

    await kit.start(hooked);
    const { status } = await kit.run(hooked, {});
    await kit.stop(hooked);

    assert.equal(status, 204);
    assert.deepEqual(seen, ["start EUR", "before", "handle", "after true", "stop true"]);
  });
});

describe("kit.clock", () => {
  it("drives ctx.time, back-off and deadlines", async () => {
    const patient = defineService({
      name: "patient",
      timeoutMs: 60_000,
      async handle({ out, retry, time }) {
        const beganAt = time.now().toISOString();
        const { data } = await retry(() => out.rest("CRM").get("/slow"), {
          attempts: 3,
          firstMs: 1_000,
          jitter: false,
        });
        return { beganAt, data };
      },
    });
    const scripts: RestScripts = {
      "GET /slow": [{ failure: "unreachable" }, { status: 503 }, { data: "ok" }],
    };
    const kit = createTestKit({ rest: { CRM: scripts }, now: "2026-03-01T12:00:00Z" });

    const running = kit.run(patient, {});
    await kit.clock.advance(10_000);
    const { output, durationMs } = await running;

    assert.deepEqual(output, { beganAt: "2026-03-01T12:00:00.000Z", data: "ok" });
    assert.equal(durationMs, 3_000);
  });

  it("ends a call at its deadline", async () => {
    const reasons: unknown[] = [];
    const slow = defineService({
      name: "slow",
      handle: ({ out, signal }) => {
        signal.addEventListener("abort", () => reasons.push(signal.reason.code));
        return out.rest("CRM").get("/slow");
      },
    });
    const kit = createTestKit({ rest: { CRM: { "GET /slow": { delayMs: 60_000 } } } });

    const failing = kit.fails(slow, {}, { timeoutMs: 5_000 });
    await kit.clock.advance(5_000);
    const { code, status, durationMs } = await failing;

    assert.deepEqual([code, status, durationMs], ["REQUEST_TIMEOUT", 504, 5_000]);
    assert.deepEqual(reasons, ["REQUEST_TIMEOUT"]);
  });

  it("drives the time of caches and of the KVDB", async () => {
    const kit = createTestKit({ caches: { rates: { ttlMs: 1_000 } } });
    await kit.cache("rates").set("EUR", 1.1);
    await kit.kvdb.set("session", "s", { ttlMs: 2_000 });

    await kit.clock.advance(999);
    const before = [await kit.cache("rates").get("EUR"), await kit.kvdb.get("session")];
    await kit.clock.advance(1);
    const between = [await kit.cache("rates").get("EUR"), await kit.kvdb.get("session")];
    await kit.clock.advance(1_000);
    const after = await kit.kvdb.get("session");

    assert.deepEqual([before, between, after], [[1.1, "s"], [undefined, "s"], undefined]);
  });

  it("refuses what is no time", () => {
    assert.throws(() => createTestKit({ now: "yesterday" }), RangeError);
  });
});

describe("The kit's facilities", () => {
  it("translate words, read configuration, count in the KVDB, cache", async () => {
    const all = defineService({
      name: "all",
      async handle({ translate, config, kvdb, cache }) {
        const { values, secret } = config("shop");
        return {
          word: translate("gender", { from: "crm", to: "erp", value: "F" }),
          values,
          secret,
          counted: [await kvdb.increment("n"), await kvdb.increment("n", { by: 5 })],
          members: await kvdb.command("ZADD", `${kvdb.prefix}z`, 1, "a"),
          made: await cache().getOrSet("k", () => "made"),
        };
      },
    });
    const kit = createTestKit({
      configs: { shop: { values: { currency: "EUR" }, secret: "s3cret" } },
      dictionaries: { gender: [{ crm: "F", erp: "female" }] },
    });

    const { output } = await kit.run(all, {});

    assert.deepEqual(output, {
      word: "female",
      values: { currency: "EUR" },
      secret: "s3cret",
      counted: [1, 6],
      members: 1,
      made: "made",
    });
    assert.equal(await kit.cache().get("k"), "made");
  });

  it("have a KVDB with all commands of the embedded one", async () => {
    const { kvdb, clock } = createTestKit();

    assert.deepEqual(
      [await kvdb.increment("w", { ttlMs: 1_000 }), await kvdb.increment("w", { ttlMs: 9_000 })],
      [1, 2],
    );
    await clock.advance(1_000);
    assert.equal(await kvdb.increment("w", { ttlMs: 1_000 }), 1);
    await kvdb.command("HSET", `${kvdb.prefix}h`, "ä", "\r\n", "n", 1);
    assert.deepEqual(await kvdb.command("HGETALL", `${kvdb.prefix}h`), ["ä", "\r\n", "n", "1"]);
    assert.equal(await kvdb.setIfAbsent("w", "x"), false);
    assert.equal(await kvdb.delete("w"), true);
    await assert.rejects(kvdb.command("INCR", `${kvdb.prefix}h`), {
      code: "KVDB_COMMAND_FAILED",
      message: /WRONGTYPE/,
    });
    await assert.rejects(kvdb.command("MULTI"), { code: "KVDB_COMMAND_REFUSED" });
  });

  it("refuse objects that a cluster would refuse", () => {
    const twice = [{ crm: "F", erp: "female" }, { crm: "F", erp: "woman" }];
    assert.throws(() => createTestKit({ dictionaries: { gender: twice } }), /stands in entry 0/);
  });

  it("break down when the test says so", async () => {
    const count = defineService({ name: "count", handle: ({ kvdb }) => kvdb.increment("n") });
    const hand = defineService({
      name: "hand",
      handle: ({ invokeAsync }) => invokeAsync("count", {}),
    });
    const kit = createTestKit({ services: [count] });

    kit.outages.kvdb = true;
    kit.outages.odb = true;

    assert.equal((await kit.fails(count, {})).code, "KVDB_UNREACHABLE");
    assert.equal((await kit.fails(hand, {})).code, "ODB_UNREACHABLE");
  });

  it("keep locks, which somebody else can hold", async () => {
    const careful = defineService({
      name: "careful",
      handle: ({ lock, time }) =>
        lock("orders", { ttlMs: 3_000, waitMs: 1_000 }, async ({ token, signal }) => {
          await time.sleep(5_000);
          return { token, lost: signal.aborted };
        }),
    });
    const kit = createTestKit();

    const kept = kit.run(careful, {});
    await kit.clock.advance(5_000);
    assert.deepEqual((await kept).output, { token: 1, lost: false });

    kit.locks.hold("orders");
    const refused = kit.fails(careful, {});
    await kit.clock.advance(1_000);
    assert.equal((await refused).code, "LOCK_BUSY");

    kit.locks.free("orders");
    const lost = kit.fails(careful, {});
    await kit.clock.advance(100);
    kit.locks.hold("orders");
    await kit.clock.advance(5_000);
    assert.equal((await lost).code, "LOCK_LOST");
  });
});

describe("kit.invoked and kit.runPending", () => {
  const told: unknown[] = [];
  const tell = defineService({ name: "tell", handle: ({ input }) => void told.push(input) });
  const order = defineService({
    name: "order",
    input: z.object({ id: z.int() }),
    handle: async ({ input, invokeAsync }) =>
      await invokeAsync("ship", { id: input.id }, {
        delayMs: 1_000,
        attempts: 2,
        retryMs: 500,
        callback: "tell",
      }),
  });
  const ship = (outcome: () => unknown) =>
    defineService({ name: "ship", input: z.object({ id: z.int() }), handle: outcome });

  it("record invocations, and run them when they are due", async () => {
    told.length = 0;
    const kit = createTestKit({ services: [ship(() => "shipped"), tell] });

    const { output } = await kit.run(order, { id: 7 });

    assert.equal(kit.invoked[0]?.id, output.id);
    assert.deepEqual(kit.invoked.map(({ service, input }) => [service, input]), [
      ["ship", { id: 7 }],
    ]);
    assert.deepEqual(await kit.runPending(), []);
    await kit.clock.advance(1_000);
    const ran = await kit.runPending();
    assert.deepEqual(ran.map(({ service, state }) => [service, state]), [
      ["ship", "done"],
      ["tell", "done"],
    ]);
    const outcome = { ok: true, output: "shipped", attempts: 1, cid: "cid-1" };
    assert.deepEqual(told, [{ id: output.id, service: "ship", ...outcome }]);
  });

  it("try again after a back-off, then give up", async () => {
    told.length = 0;
    const failing = ship(() => {
      throw new Error("no stock");
    });
    const kit = createTestKit({ services: [failing, tell] });
    await kit.run(order, { id: 7 });

    await kit.clock.advance(1_000);
    await kit.runPending();
    assert.equal(kit.invoked[0]?.state, "pending");
    await kit.clock.advance(500);
    await kit.runPending();

    assert.deepEqual([kit.invoked[0]?.state, kit.invoked[0]?.attempts], ["failed", 2]);
    assert.deepEqual(told.map((one) => (one as { ok: boolean }).ok), [false]);
  });
});
