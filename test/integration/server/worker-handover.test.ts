import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import { runLoad } from "../../../src/rehearsal/load/ledger.ts";
import type { BundleFile, Requests } from "../../../src/server/worker/protocol.ts";
import type { RequestHandler } from "../../../src/server/supervisor/worker-process.ts";
import { WorkerPool } from "../../../src/server/supervisor/worker-pool.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { channel, object, overload, poolInit, storeBundle } from "../data-plane/worker-process.ts";
import { connectClient } from "../websocket/client.ts";

let directory: string;
let port: number;
let pool: WorkerPool;
let revision = 0;
const lines: string[] = [];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-handover-"));
  port = await findFreePort();
  pool = createPool(2, port, () => Promise.reject(new Error("Nothing is asked here")));
});

function createPool(count: number, port: number, onRequest: RequestHandler): WorkerPool {
  return new WorkerPool({
    count,
    init: {
      ...poolInit,
      http: { host: "127.0.0.1", port },
      limits: { stallMs: 10_000, requestMs: 20_000, bodyBytes: 1_000_000, overload },
      logLevel: "error",
    },
    drainMs: 20_000,
    logger: createLogger({ write: (line) => lines.push(line) }),
    checkBundles: () => Promise.resolve(),
    onRequest,
    onChange: () => {},
  });
}

after(async () => {
  await pool.stop(1_000);
  await rm(directory, { recursive: true, force: true });
});

/** A version of one file, padded to a size. */
function version(number: number, padding = ""): Promise<BundleFile> {
  const code = `const { defineService } = globalThis[Symbol.for("dragoman.module")];
    const padding = ${JSON.stringify(padding)};
    export const tell = defineService({ name: "tell", handle: () => ({ version: ${number} }) });
    export const hold = defineService({ name: "hold", async handle() {
      await new Promise((resolve) => setTimeout(resolve, 6_000));
      return { version: ${number}, padding: padding.length };
    } });\n`;
  return storeBundle(directory, { file: "tell.ts", code });
}

async function deploy(bundle: BundleFile): Promise<void> {
  await pool.apply({
    revision: ++revision,
    objects: [channel("/tell", "tell", { methods: ["GET", "POST"] })],
    bundles: [bundle],
  });
  assert.deepEqual(pool.failures(), []);
}

const pids = () => pool.statuses().map(({ pid }) => pid);

/** Resolves when no place is filled by one of these and both serve. */
async function takenOver(old: readonly number[]): Promise<void> {
  const done = await poll(() => {
    const fresh = pool.statuses().every(({ pid, state }) => state === "up" && !old.includes(pid));
    return fresh || undefined;
  }, { timeoutMs: 20_000 });
  assert.ok(done, JSON.stringify(pool.statuses()));
}

describe("Workers that hold the code of many deployments", () => {
  it("hand over to fresh ones: each answer is of the newest version, and none is missing", async () => {
    await deploy(await version(1));
    const old = pids();
    const held = pool.serving().map((worker) =>
      worker.invoke({ service: "hold", input: {}, cid: "c", timeoutMs: 20_000 })
    );
    const over = new AbortController();
    let live = 1;
    const wrong: string[] = [];
    const load = runLoad({
      url: `http://127.0.0.1:${port}/tell`,
      method: "POST",
      body: "{}",
      requests: Number.MAX_SAFE_INTEGER,
      concurrency: 4,
      signal: over.signal,
      onResponse({ body }) {
        const { version: seen } = JSON.parse(body) as { version: number };
        if (seen < live - 1) wrong.push(`${seen} where ${live} was live`);
      },
    });

    for (let number = 2; number <= 36; number++) {
      await deploy(await version(number));
      live = number;
    }
    await takenOver(old);
    for (let number = 37; number <= 40; number++) {
      await deploy(await version(number));
      live = number;
    }
    const answers = await Promise.all(held);
    over.abort();
    const { failed } = await load;

    assert.deepEqual(failed, []);
    assert.deepEqual(wrong, []);
    assert.deepEqual(answers.map(({ output }) => output), [
      { version: 1, padding: 0 },
      { version: 1, padding: 0 },
    ]);
    assert.deepEqual(pool.statuses().map(({ restarts }) => restarts), [0, 0]);
    assert.match(lines.join("\n"), /A fresh worker has taken over/);
    assert.doesNotMatch(lines.join("\n"), /Worker ended/);
  });

  it("do so earlier when versions are large", async () => {
    const old = pids();
    const megabytes = "x".repeat(6 * 1024 * 1024);

    for (let number = 101; number <= 104; number++) await deploy(await version(number, megabytes));

    await takenOver(old);
  });

  it("leave nothing running when the pool is stopped in the middle", async () => {
    const old = pids();
    for (let number = 201; number <= 234; number++) await deploy(await version(number));

    await pool.stop(1_000);

    assert.deepEqual(pool.serving(), []);
    for (const pid of old) assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });
});

describe("Clients of a worker that is about to leave", () => {
  it("get what is pushed meanwhile, also without a KVDB", async () => {
    const port = await findFreePort();
    const pool: WorkerPool = createPool(1, port, ({ body }) => {
      const { text } = body as Requests["push"]["body"]; // nothing else is asked here
      for (const worker of pool.reachable()) worker.push(text);
      return Promise.resolve(pool.reachable().length);
    });
    const handover = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    pool.handOverDuring(async (work) => {
      handover.resolve();
      await goOn.promise;
      await work();
    });
    const apply = async (number: number) => {
      const code = `const { defineService } = globalThis[Symbol.for("dragoman.module")];
        export const say = defineService({ name: "say", async handle({ push }) {
          await push("chat").send(${number});
        } });\n`;
      const bundles = [await storeBundle(directory, { file: "say.ts", code })];
      const spec = { path: "/chat", services: ["say"], security: "none" };
      const objects = [object("WebSocketChannel", "chat", spec)];
      await pool.apply({ revision: number, objects, bundles });
      assert.deepEqual(pool.failures(), []);
    };

    try {
      await apply(0);
      using client = await connectClient(`ws://127.0.0.1:${port}/chat`);
      for (let number = 1; number <= 13; number++) await apply(number);
      await handover.promise;
      await pool.pick().invoke({ service: "say", input: {}, cid: "c", timeoutMs: 5_000 });

      assert.equal((await client.push()).data, 13);
    } finally {
      goOn.resolve();
      await pool.stop(1_000);
    }
  });
});
