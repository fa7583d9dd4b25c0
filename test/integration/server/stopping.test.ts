import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import {
  Supervisor,
  type SupervisorParts,
  type SupervisorTies,
} from "../../../src/server/supervisor/supervisor.ts";
import type { RunnableState } from "../../../src/server/supervisor/worker-process.ts";
import { WorkerPool } from "../../../src/server/supervisor/worker-pool.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { poolInit, storeBundle } from "../data-plane/worker-process.ts";

const logger = createLogger({ write: () => {} });
const code = `const { defineService } = globalThis[Symbol.for("dragoman.module")];
  let release = () => {};
  let entered = false;
  export const hold = defineService({ name: "hold", async handle() {
    entered = true;
    await new Promise((resolve) => release = resolve);
    return "finished";
  } });
  export const isHeld = defineService({ name: "isHeld", handle: () => entered });
  export const go = defineService({ name: "go", handle: () => release() });\n`;

let directory: string;
let state: RunnableState;
let pool: WorkerPool | undefined;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-stopping-"));
  const bundle = await storeBundle(directory, { file: "hold.ts", code });
  state = { revision: 1, objects: [], bundles: [bundle] };
});
afterEach(async () => {
  await pool?.stop(0);
});
after(() => rm(directory, { recursive: true, force: true }));

function createPool(
  port: number,
  checkBundles: () => Promise<void> = () => Promise.resolve(),
): WorkerPool {
  pool = new WorkerPool({
    count: 1,
    init: { ...poolInit, http: { host: "127.0.0.1", port }, logLevel: "error" },
    drainMs: 20_000,
    logger,
    checkBundles,
    onRequest: () => Promise.reject(new Error("Nothing is asked here")),
    onChange: () => {},
  });
  return pool;
}

/** A supervisor of this pool that belongs to no cluster, with work that ends when `ended` does. */
async function startSupervisor(pool: WorkerPool, ended: Promise<void>): Promise<Supervisor> {
  const supervisor = new Supervisor(
    {
      pool,
      logger,
      config: { name: "server-1", limits: { drainMs: 20_000 } },
    } as unknown as SupervisorParts, // nothing else is asked for while it starts and stops
  );
  const done = () => Promise.resolve();
  await supervisor.start({
    desired: { start: () => pool.apply(state), stop: done },
    membership: { report: done, leave: done },
    registration: undefined,
    keys: { stop: done },
    work: [{ start: () => {}, stop: () => ended }],
  } as unknown as SupervisorTies); // as above
  return supervisor;
}

describe("A server that stops", () => {
  it("is not ready at once, and finishes what its workers were told to run", async () => {
    const port = await findFreePort();
    const pool = createPool(port);
    const ended = Promise.withResolvers<void>();
    const supervisor = await startSupervisor(pool, ended.promise);
    const worker = pool.pick();
    const invoke = (service: string) => {
      return worker.invoke({ service, input: {}, cid: "c", timeoutMs: 20_000 });
    };
    const held = invoke("hold");
    const isHeld = async () => (await invoke("isHeld")).output === true || undefined;
    assert.ok(await poll(isHeld, { timeoutMs: 10_000 }));

    const stopped = supervisor.stop();
    const readiness = await poll(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/dragoman/readyz`);
      await response.body?.cancel();
      return response.status === 200 ? undefined : response.status;
    }, { timeoutMs: 5_000, intervalMs: 1 });
    await worker.closed();
    await invoke("go");
    const { output } = await held;
    ended.resolve();
    await stopped;

    assert.equal(readiness, 503);
    assert.equal(output, "finished");
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
  });

  it("starts no worker any more, though one was about to start", async () => {
    const asked = Promise.withResolvers<void>();
    const checked = Promise.withResolvers<void>();
    const pool = createPool(await findFreePort(), () => {
      asked.resolve();
      return checked.promise;
    });

    const applied = pool.apply(state);
    await asked.promise;
    await pool.stop(1_000);
    checked.resolve();
    await applied;

    assert.deepEqual(pool.statuses().map(({ pid }) => pid), [0]);
  });
});
