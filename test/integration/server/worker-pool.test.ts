import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { sha256Hex } from "../../../src/lib/canonical-json.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import { BundleFiles } from "../../../src/server/deploy/bundle-files.ts";
import { bundleFile, stopBundler } from "../../../src/server/deploy/bundle.ts";
import type { RunnableState } from "../../../src/server/supervisor/worker-process.ts";
import { WorkerPool } from "../../../src/server/supervisor/worker-pool.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { overload, poolInit } from "../data-plane/worker-process.ts";

const time = "2026-01-01T00:00:00.000Z";
let directory: string;
let port: number;
let pool: WorkerPool;
let state: RunnableState;
const lines: string[] = [];

function channel(name: string, path: string, service: string) {
  const spec = { path, methods: ["GET"], service, security: "none", active: true };
  return {
    kind: "RestChannel",
    name,
    spec,
    revision: 1,
    createdAt: time,
    updatedAt: time,
    updatedBy: "test",
  };
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-pool-"));
  port = await findFreePort();
  const file = await bundleFile(join(import.meta.dirname!, "../../../examples/hello/hello.ts"));
  await stopBundler();
  const key = { file: file.name, hash: sha256Hex(file.code) };
  const bundles = new BundleFiles(join(directory, "bundles"));
  const bundle = await bundles.ensure(key, () => Promise.resolve({ ...key, ...file }));
  state = {
    revision: 1,
    objects: [channel("hello", "/hello", "demo.hello")],
    bundles: [bundle],
  };
  pool = new WorkerPool({
    count: 2,
    init: {
      ...poolInit,
      http: { host: "127.0.0.1", port },
      limits: { stallMs: 2_000, requestMs: 5_000, bodyBytes: 1_000_000, overload },
      logLevel: "error",
    },
    logger: createLogger({ write: (line) => lines.push(line) }),
    drainMs: 1_000,
    checkBundles: () => Promise.resolve(),
    onRequest: () => Promise.reject(new Error("Nothing is asked here")),
    onChange: () => {},
  });
  await pool.apply(state);
});

after(async () => {
  await pool.stop(1_000);
  await rm(directory, { recursive: true, force: true });
});

async function get(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { connection: "close" },
  });
  return { status: response.status, body: await response.json() };
}

/** Resolves when both places are filled and serve, the killed ones by other processes. */
async function bothUp(not: readonly number[] = []): Promise<void> {
  const up = await poll(() => {
    const statuses = pool.statuses();
    const good = statuses.every((worker) => worker.state === "up" && !not.includes(worker.pid));
    return good || undefined;
  }, { timeoutMs: 15_000 });
  assert.ok(up, JSON.stringify(pool.statuses()));
}

describe("WorkerPool", () => {
  it("serves from two workers that run the same state", async () => {
    const statuses = pool.statuses();

    assert.equal(pool.upCount, 2);
    assert.equal(new Set(statuses.map(({ stateHash }) => stateHash)).size, 1);
    assert.deepEqual(await get("/hello?name=Ana"), { status: 200, body: { hello: "Ana" } });
  });

  it("brings a change to every worker, and takes it back", async () => {
    const more = channel("more", "/more", "demo.hello");
    await pool.apply({ ...state, revision: 2, objects: [...state.objects, more] });
    const with2 = await Promise.all(Array.from({ length: 8 }, () => get("/more")));
    await pool.apply({ ...state, revision: 3 });
    const without = await Promise.all(Array.from({ length: 8 }, () => get("/more")));

    assert.deepEqual(new Set(with2.map(({ status }) => status)), new Set([200]));
    assert.deepEqual(new Set(without.map(({ status }) => status)), new Set([404]));
    assert.deepEqual(pool.statuses().map(({ revision }) => revision), [3, 3]);
  });

  it("reports a channel that cannot live and serves its neighbours", async () => {
    const broken = channel("broken", "/broken", "no.such.service");
    await pool.apply({ ...state, revision: 4, objects: [...state.objects, broken] });

    const [failure] = pool.failures();
    const hello = await get("/hello");
    await pool.apply({ ...state, revision: 5 });

    assert.deepEqual([failure?.kind, failure?.name], ["RestChannel", "broken"]);
    assert.match(failure?.error ?? "", /no\.such\.service/);
    assert.equal(hello.status, 200);
    assert.deepEqual(pool.failures(), []);
  });

  it("replaces a worker that was killed, with the newest state", async () => {
    const [victim] = pool.statuses();
    process.kill(victim!.pid, "SIGKILL");

    await bothUp([victim!.pid]);

    assert.equal(pool.statuses()[0]?.restarts, 1);
    assert.equal(pool.statuses()[0]?.revision, pool.statuses()[1]?.revision);
    assert.match(lines.join("\n"), /Worker ended and will be replaced.*SIGKILL/);
  });

  it("takes a change while a worker is frozen, and replaces that worker", async () => {
    const [victim] = pool.statuses();
    process.kill(victim!.pid, "SIGSTOP");
    const applied = pool.apply({ ...state, revision: 6 });

    const other = await poll(() => pool.statuses()[1]?.revision === 6 || undefined, {
      timeoutMs: 5_000,
    });
    await bothUp([victim!.pid]);
    await applied;

    assert.equal(other, true);
    assert.match(lines.join("\n"), /Worker does not answer and is ended/);
    assert.equal(pool.statuses()[0]?.revision, 6);
  });

  it("invokes a service in a worker, and says why it cannot", async () => {
    const request = { cid: "c1", timeoutMs: 1_000 };
    const good = await pool.pick().invoke({
      service: "demo.hello",
      input: { name: "Bo" },
      ...request,
    });

    assert.deepEqual(good.output, { hello: "Bo" });
    await assert.rejects(
      pool.pick().invoke({ service: "demo.helo", input: {}, ...request }),
      /There is no service "demo\.helo"/,
    );
    await assert.rejects(
      pool.pick().invoke({ service: "demo.hello", input: { name: 5 }, ...request }),
      (error) => error instanceof Error,
    );
  });
});
