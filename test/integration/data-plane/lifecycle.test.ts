import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { describe, it } from "node:test";
import { delay, poll } from "../../../src/lib/wait.ts";
import { RawConnection } from "../../../src/rehearsal/load/raw-connection.ts";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { bundleFile, stopBundler } from "../../../src/server/deploy/bundle.ts";
import { type HashedState, stateHash, statePartsOf } from "../../../src/server/state-hash.ts";
import { rawRequest } from "./raw-http.ts";
import {
  channel,
  clusterKey,
  object,
  overload,
  storeBundle,
  WorkerProcess,
} from "./worker-process.ts";

function version(text: string): string {
  return `export const v = defineService({ name: "v", handle: () => "${text}" });`;
}

const held = `
  export const held = defineService({
    name: "held",
    async handle() {
      globalThis.entered = (globalThis.entered ?? 0) + 1;
      while (!globalThis.released) await new Promise((resolve) => setTimeout(resolve, 5));
      return "done";
    },
  });
  export const entered = defineService({ name: "entered", handle: () => globalThis.entered ?? 0 });
  export const release = defineService({
    name: "release", handle: () => { globalThis.released = true; return true; },
  });
`;
const heldChannels = ["held", "entered", "release"].map((name) => channel(`/${name}`, name));

/** Asks without pause from several clients until `stop`; then says what came back, how often. */
function keepAsking(worker: WorkerProcess, path: string, clients = 8) {
  let isOver = false;
  const outcomes = new Map<string, number>();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const running = Array.from({ length: clients }, async () => {
    while (!isOver) {
      try {
        const response = await worker.fetch(path);
        count(`${response.status} ${await response.text()}`);
      } catch (error) {
        count(String(error));
      }
    }
  });
  return {
    outcomes,
    async stop() {
      isOver = true;
      await Promise.all(running);
      return [...outcomes.keys()].sort();
    },
  };
}

function hashOf(objects: HashedState["objects"], bundles: HashedState["bundles"]): string {
  const { id: keyId } = parseClusterKey(clusterKey);
  return stateHash(statePartsOf({ objects, bundles, keyId }));
}

describe("A worker taking over configurations", () => {
  it("reports what failed, serves the rest and hashes what it runs", async () => {
    await using worker = await WorkerProcess.start();
    const good = channel("/v", "v");
    const bundle = await worker.bundle("v.ts", version("1"));

    const { failures, stateHash: hash } = await worker.configure({
      upserted: [
        good,
        channel("/orphan", "missing"),
        channel("/broken", "v", { methods: [] }),
        channel("/guarded", "v", { security: ["nobody"] }),
        object("ApiKey", "foreign", { key: "dragoman:hmac:00000000:abc" }),
        object("Surprise", "x", {}),
      ],
      bundles: [bundle],
    });

    assert.deepEqual(failures.map(({ kind, name }) => `${kind} ${name}`).sort(), [
      "ApiKey foreign",
      "RestChannel missing /orphan",
      "RestChannel v /broken",
      "RestChannel v /guarded",
      "Surprise x",
    ]);
    assert.equal(hash, hashOf([good], [bundle]));
    assert.equal(await (await worker.fetch("/v")).text(), '"1"');
  });

  it("keeps the old code of a file whose new code does not load", async () => {
    await using worker = await WorkerProcess.start();
    const first = await worker.bundle("v.ts", version("1"));
    const broken = await worker.bundle("v.ts", "throw new Error('no such thing');");
    await worker.configure({ upserted: [channel("/v", "v")], bundles: [first] });

    const { failures, stateHash: hash } = await worker.configure({ bundles: [broken] });

    assert.deepEqual(failures, [{ kind: "Deployment", name: "v.ts", error: "no such thing" }]);
    assert.equal(hash, hashOf([channel("/v", "v")], [first]));
    assert.equal(await (await worker.fetch("/v")).text(), '"1"');
  });

  const unusable: readonly [string, string, RegExp][] = [
    ["no service", "export const x = 1;", /exports no service/],
    ["a name twice", version("1") + version("2").replace("const v", "const w"), /two services/],
    ["a syntax error", "export const = 1;", /./],
    ["a bad name", version("1").replace('"v"', '"a b"'), /cannot be defined/],
  ];
  for (const [name, code, reason] of unusable) {
    it(`refuses a bundle with ${name}`, async () => {
      await using worker = await WorkerProcess.start();

      const { failures } = await worker.configure({ bundles: [await worker.bundle("v.ts", code)] });

      assert.equal(failures.length, 1);
      assert.match(failures[0]?.error ?? "", reason);
    });
  }

  it("adds, changes and removes channels", async () => {
    await using worker = await WorkerProcess.start();
    const bundles = [await worker.bundle("v.ts", version("1"))];
    const first = object("RestChannel", "c", { path: "/a", service: "v", security: "none" });
    await worker.configure({ upserted: [first], bundles });
    assert.equal((await worker.fetch("/a")).status, 200);

    const spec = { ...first.spec, path: "/b" };
    await worker.configure({ upserted: [object("RestChannel", "c", spec, 2)], bundles });
    assert.equal((await worker.fetch("/a")).status, 404);
    assert.equal((await worker.fetch("/b")).status, 200);

    await worker.configure({ removed: [{ kind: "RestChannel", name: "c" }], bundles });
    assert.equal((await worker.fetch("/b")).status, 404);
  });

  it("swaps code under load without one failed request", async () => {
    await using worker = await WorkerProcess.start();
    const bundles = [await worker.bundle("v.ts", version("0"))];
    await worker.configure({ upserted: [channel("/v", "v")], bundles });
    const asking = keepAsking(worker, "/v");

    for (let round = 0; round <= 10; round++) {
      const bundle = await worker.bundle("v.ts", version(String(round)));
      await worker.configure({ bundles: [bundle] });
      await poll(() => asking.outcomes.get(`200 "${round}"`), { timeoutMs: 10_000, intervalMs: 2 });
    }

    const expected = Array.from({ length: 11 }, (_, round) => `200 "${round}"`).sort();
    assert.deepEqual(await asking.stop(), expected);
  });
});

describe("A worker invoked by an operator", () => {
  it("answers with the output, or with the error and its reason", async () => {
    await using worker = await WorkerProcess.start();
    const bundle = await worker.bundle(
      "all.ts",
      `
      export const twice = defineService({
        name: "twice", input: z.object({ n: z.number() }), handle: ({ input }) => input.n * 2,
      });
      export const crash = defineService({ name: "crash", handle() { throw new Error("why"); } });
      export const refuse = defineService({
        name: "refuse", handle() { throw new ServiceError(409, "Taken"); },
      });
      export const never = defineService({ name: "never", handle: () => new Promise(() => {}) });
      `,
    );
    await worker.configure({ bundles: [bundle] });

    const outcome = async (service: string, input: unknown = {}, timeoutMs = 5_000) => {
      const { output, error } = await worker.invoke({ service, input, timeoutMs });
      return error === undefined ? output : [error.code, error.message];
    };
    assert.equal(await outcome("twice", { n: 21 }), 42);
    assert.deepEqual((await worker.invoke({ service: "twice" })).error?.details, {
      errors: [{ pointer: "/n", detail: "Invalid input: expected number, received undefined" }],
    });
    assert.deepEqual(await outcome("crash"), [
      "SERVICE_FAILED",
      'The service "crash" failed: why',
    ]);
    assert.deepEqual(await outcome("refuse"), [
      "SERVICE_REFUSED",
      'The service "refuse" answered 409: Taken',
    ]);
    assert.deepEqual(await outcome("twicee"), [
      "SERVICE_UNKNOWN",
      'There is no service "twicee", did you mean "twice"?',
    ]);
    assert.deepEqual(await outcome("never", {}, 20), [
      "REQUEST_TIMEOUT",
      "The service did not answer within 20 ms",
    ]);
  });
});

describe("A worker in trouble", () => {
  it("survives an unhandled rejection and names its file and services", async () => {
    await using worker = await WorkerProcess.start();
    const code = `export const leak = defineService({
      name: "leak", handle() { Promise.reject(new Error("nobody waits")); return 1; },
    });`;
    const bundles = [await worker.bundle("leak.ts", code)];
    await worker.configure({ upserted: [channel("/leak", "leak")], bundles });

    assert.equal((await worker.fetch("/leak")).status, 200);
    await worker.logged("nobody waits");
    assert.match(worker.log, /Unhandled rejection.*"file":"leak.ts","services":\["leak"\]/);
    assert.equal((await worker.fetch("/leak")).status, 200);
  });

  it("ends with 1 on an uncaught exception, and logs it", async () => {
    await using worker = await WorkerProcess.start();
    const code = `export const crash = defineService({
      name: "crash", handle() { setTimeout(() => { throw new Error("out of reach"); }); return 1; },
    });`;
    const bundles = [await worker.bundle("crash.ts", code)];
    await worker.configure({ upserted: [channel("/crash", "crash")], bundles });

    await worker.fetch("/crash").catch(() => {});

    assert.deepEqual(await worker.exited, { code: 1, signal: null });
    assert.match(worker.log, /Uncaught exception.*"file":"crash.ts".*out of reach/);
  });

  it("is killed by its watchdog when a service holds the event loop, which is named", async () => {
    await using worker = await WorkerProcess.start({
      limits: { stallMs: 300, requestMs: 10_000, bodyBytes: 1_000, overload },
    });
    const code = `export const spin = defineService({
      name: "spin", async handle() { await null; for (;;) ; },
    });
    export const idle = defineService({ name: "idle", handle: () => 1 });`;
    const bundles = [await worker.bundle("spin.ts", code)];
    const upserted = [channel("/spin", "spin"), channel("/idle", "idle")];
    await worker.configure({ upserted, bundles });
    await (await worker.fetch("/idle")).text();

    await assert.rejects(worker.fetch("/spin"));

    assert.deepEqual(await worker.exited, { code: null, signal: "SIGKILL" });
    await worker.logged("Event loop stalled");
    assert.match(worker.log, /Event loop stalled.*"services":\["spin"\].*"since":"20/);
  });

  it("lives on when nothing holds the event loop, however long a service takes", async () => {
    await using worker = await WorkerProcess.start({
      limits: { stallMs: 100, requestMs: 10_000, bodyBytes: 1_000, overload },
    });
    const bundles = [await worker.bundle("held.ts", held)];
    await worker.configure({ upserted: heldChannels, bundles });

    const answer = worker.fetch("/held");
    const beats = () => worker.messages.filter(({ type }) => type === "heartbeat").length;
    await poll(() => beats() >= 2 || undefined, { timeoutMs: 20_000 });
    await worker.fetch("/release");

    assert.equal((await answer).status, 200);
    const heartbeat = await worker.message("heartbeat", ({ requestsTotal }) => requestsTotal > 0);
    assert.ok(heartbeat.memoryBytes > 10_000_000);
  });

  it("ends with 1 and says why when the port is taken by another program", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" ? address?.port ?? 0 : 0;
    await using worker = await WorkerProcess.start({ http: { host: "127.0.0.1", port } });

    worker.send({ type: "configure", revision: 1, upserted: [], removed: [], bundles: [] });

    assert.deepEqual(await worker.exited, { code: 1, signal: null });
    assert.match(worker.log, /in use/i);
    other.close();
  });
});

describe("A worker asked to drain", () => {
  it("says not ready, finishes what it has, says so and exits 0", async () => {
    await using worker = await WorkerProcess.start();
    const bundles = [await worker.bundle("held.ts", held)];
    await worker.configure({ upserted: heldChannels, bundles });
    const answer = worker.fetch("/held");
    const entered = async () => (await (await worker.fetch("/entered")).json()) || undefined;
    await poll(entered, { timeoutMs: 10_000 });

    worker.send({ type: "drain", timeoutMs: 20_000 });
    const notReady = await poll(async () => {
      const response = await worker.fetch("/dragoman/readyz");
      const problem = await response.json();
      return response.status === 503 ? { response, problem } : undefined;
    }, { timeoutMs: 5_000, intervalMs: 1 });
    await (await worker.fetch("/release")).text();

    assert.equal(notReady?.response.headers.get("connection"), "close");
    assert.equal(notReady?.problem.detail, "The server is not ready: it is draining");
    assert.equal(await (await answer).text(), '"done"');
    assert.equal((await worker.message("drained")).abandoned, 0);
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
  });

  it("gives up on what does not finish in time, and counts it", async () => {
    await using worker = await WorkerProcess.start();
    const bundles = [await worker.bundle("held.ts", held)];
    await worker.configure({ upserted: heldChannels, bundles });
    const answer = worker.fetch("/held").then(() => "answered", () => "cut off");
    const entered = async () => (await (await worker.fetch("/entered")).json()) || undefined;
    await poll(entered, { timeoutMs: 10_000 });

    worker.send({ type: "drain", timeoutMs: 300 });

    assert.equal((await worker.message("drained")).abandoned, 1);
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    assert.equal(await answer, "cut off");
  });

  it("loses no request of clients that look at readyz, as balancers do", async () => {
    await using worker = await WorkerProcess.start();
    const bundles = [await worker.bundle("v.ts", version("1"))];
    await worker.configure({ upserted: [channel("/v", "v")], bundles });
    const asking = keepAsking(worker, "/v");
    await poll(() => (asking.outcomes.get('200 "1"') ?? 0) > 100 || undefined, {
      timeoutMs: 20_000,
    });

    worker.send({ type: "drain", timeoutMs: 10_000 });
    await poll(async () => {
      const response = await worker.fetch("/dragoman/readyz");
      await response.body?.cancel();
      return response.status === 503 || undefined;
    }, { timeoutMs: 10_000, intervalMs: 5 });

    assert.deepEqual(await asking.stop(), ['200 "1"']);
    assert.equal((await worker.message("drained")).abandoned, 0);
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
  });

  it("answers what was sent to it while it was held up", async () => {
    await using worker = await WorkerProcess.start();
    const bundles = [await worker.bundle("v.ts", version("1"))];
    await worker.configure({ upserted: [channel("/v", "v")], bundles });
    // As a balancer's: each was used before, and is kept.
    const connections = Array.from({ length: 8 }, () => {
      return new RawConnection("127.0.0.1", worker.port);
    });
    const askAll = () =>
      Promise.all(connections.map((one) => {
        return one.exchange(rawRequest("POST /v"), { method: "POST", timeoutMs: 20_000 });
      }));
    await askAll();

    worker.send({ type: "drain", timeoutMs: 10_000 });
    await poll(async () => {
      const response = await worker.fetch("/dragoman/readyz");
      await response.body?.cancel();
      return response.status === 503 || undefined;
    }, { timeoutMs: 10_000, intervalMs: 1 });
    process.kill(worker.child.pid!, "SIGSTOP");
    const asked = askAll();
    await delay(500); // longer than a process has to be quiet
    process.kill(worker.child.pid!, "SIGCONT");
    const answers = await asked;

    assert.deepEqual(answers.map(({ status }) => status), answers.map(() => 200));
    assert.equal((await worker.message("drained")).abandoned, 0);
  });

  it("drains by itself when its supervisor has gone", async () => {
    await using worker = await WorkerProcess.start();
    const bundles = [await worker.bundle("v.ts", version("1"))];
    await worker.configure({ upserted: [channel("/v", "v")], bundles });

    worker.child.disconnect();

    assert.deepEqual(await worker.exited, { code: 0, signal: null });
  });
});

describe("Two workers on one port", () => {
  it("share the connections, and one takes over when the other drains", async () => {
    await using first = await WorkerProcess.start();
    const http = { host: "127.0.0.1", port: first.port };
    await using second = await WorkerProcess.start({ http });
    for (const worker of [first, second]) {
      const code = version("1").replace('"1"', "process.pid");
      const bundles = [await worker.bundle("v.ts", code)];
      await worker.configure({ upserted: [channel("/v", "v")], bundles });
    }

    // Each answer on a connection of its own.
    const seen = new Set<string>();
    await poll(async () => {
      const response = await first.fetch("/v", { headers: { Connection: "close" } });
      seen.add(await response.text());
      return seen.size === 2 || undefined;
    }, { timeoutMs: 10_000, intervalMs: 1 });
    assert.deepEqual(
      seen,
      new Set([String(first.child.pid), String(second.child.pid)]),
    );

    first.send({ type: "drain", timeoutMs: 5_000 });
    await first.exited;
    assert.equal(await (await second.fetch("/v")).text(), String(second.child.pid));
  });
});

describe("The demo service", () => {
  it("runs from its own file", async () => {
    await using worker = await WorkerProcess.start();
    const path = join(import.meta.dirname!, "../../../examples/hello/hello.ts");
    const upserted = [channel("/demo/hello", "demo.hello")];
    const { name: file, code } = await bundleFile(path);
    await stopBundler();
    const bundle = await storeBundle(worker.directory, { file, code });
    await worker.configure({ upserted, bundles: [bundle] });

    const response = await worker.fetch("/demo/hello?name=Ana");

    assert.deepEqual(await response.json(), { hello: "Ana" });
  });
});
