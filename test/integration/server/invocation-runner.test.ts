import assert from "node:assert/strict";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { OdbLink } from "../../../src/cluster/odb-link.ts";
import { PlatformError } from "../../../src/errors/platform-error.ts";
import { poll } from "../../../src/lib/wait.ts";
import { openOdb } from "../../../src/odb/open.ts";
import type { ClaimedInvocation } from "../../../src/odb/durable-types.ts";
import {
  InvocationRunner,
  type InvocationRunnerOptions,
} from "../../../src/server/supervisor/invocation-runner.ts";
import type { NewInvocation } from "../../../src/service/durable-work.ts";
import { createLogger, silentLogger } from "../../../src/telemetry/logger.ts";

let directory: string;
let link: OdbLink;
const lines: string[] = [];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-runner-"));
  const odb = await openOdb({ url: `sqlite://${directory}/odb.db` });
  await odb.migrate();
  await odb.createCluster("demo", { keyCheck: "" });
  link = new OdbLink({ odb, cluster: "demo", logger: silentLogger });
});

after(async () => {
  await link.close();
  await rm(directory, { recursive: true, force: true });
});

const work: NewInvocation = {
  service: "a.b",
  input: 1,
  cid: "c",
  delayMs: 0,
  attemptsMax: 2,
  retryMs: 1,
  callback: undefined,
};

function runner(options: Partial<InvocationRunnerOptions>): InvocationRunner {
  return new InvocationRunner({
    link,
    server: "server1",
    run: () => Promise.resolve("done"),
    canRun: () => true,
    announce: () => {},
    logger: createLogger({ write: (line) => lines.push(line) }),
    parallel: 16,
    pollMs: 20,
    ...options,
  });
}

async function ended(id: string) {
  const row = await poll(async () => {
    const found = await link.use((store) => store.getInvocation(id));
    return found.finishedAt === null ? undefined : found;
  }, { timeoutMs: 10_000, intervalMs: 5 });
  assert.ok(row, "it never ended");
  return row;
}

describe("InvocationRunner", () => {
  it("runs no more at a time than it may, and all of them", async () => {
    let inside = 0;
    let most = 0;
    let ran = 0;
    const limited = runner({
      parallel: 3,
      run: async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 2));
        inside--;
        ran++;
      },
    });
    limited.start();

    const ids = await Promise.all(Array.from({ length: 50 }, () => limited.enqueue(work)));
    for (const id of ids) await ended(id);
    await limited.stop(1_000);

    assert.deepEqual([most, ran], [3, 50]);
  });

  it("leaves the claim of what it cannot finish to others, and claims nothing while it stops", async () => {
    const begun: ClaimedInvocation[] = [];
    const stopping = runner({
      run: (claim) => {
        begun.push(claim);
        return new Promise(() => {});
      },
    });
    stopping.start();
    const id = await stopping.enqueue(work);
    await poll(() => begun.length > 0 || undefined, { timeoutMs: 5_000 });

    await stopping.stop(10);
    const later = await stopping.enqueue({ ...work, service: "later" });
    const other = runner({ server: "server2" });
    other.start();
    const rows = [await ended(id), await ended(later)];
    await other.stop(1_000);

    assert.deepEqual(begun.map((claim) => claim.id), [id]);
    assert.deepEqual(rows.map(({ claimedBy, losses }) => [claimedBy, losses]), [
      ["server2", 1],
      ["server2", 0],
    ]);
  });

  it("repeats what its worker took down, without counting it as a failed attempt", async () => {
    let runs = 0;
    const lossy = runner({
      run: () =>
        ++runs === 1 ? Promise.reject(new PlatformError("SERVER_WORKER_LOST")) : Promise.resolve(7),
    });
    lossy.start();

    const row = await ended(await lossy.enqueue(work));
    await lossy.stop(1_000);

    assert.deepEqual([row.state, row.attempts, row.losses, row.output], ["done", 1, 1, 7]);
  });

  it("logs what failed for good as an error, with its reason", async () => {
    const failing = runner({ run: () => Promise.reject(new Error("no stock")) });
    failing.start();

    const row = await ended(await failing.enqueue(work));
    await failing.stop(1_000);

    assert.equal(row.attempts, 2);
    const line = lines.find((text) => text.includes("failed for good") && text.includes(row.id));
    assert.match(line ?? "", /"level":"error".*no stock/);
  });

  it("keeps an outcome until the ODB is back", async () => {
    const file = join(directory, "odb.db");
    let release: (output: unknown) => void = () => {};
    const waiting = runner({ run: () => new Promise((resolve) => release = resolve) });
    waiting.start();
    const id = await waiting.enqueue(work);
    await poll(
      async () =>
        (await link.use((store) => store.getInvocation(id))).state === "running" || undefined,
      { timeoutMs: 5_000 },
    );

    await rename(file, `${file}.away`);
    release("kept");
    await poll(() => link.status().state === "down" || undefined, { timeoutMs: 5_000 });
    await assert.rejects(waiting.enqueue(work), { code: "ODB_UNREACHABLE" });
    await rename(`${file}.away`, file);
    const row = await ended(id);
    await waiting.stop(1_000);

    assert.deepEqual([row.state, row.output, row.attempts], ["done", "kept", 1]);
  });

  it("tells others of work that it has no room for, and only then", async () => {
    let announced = 0;
    const full = runner({
      parallel: 1,
      announce: () => announced++,
      run: () => new Promise(() => {}),
    });
    full.start();
    const first = await full.enqueue(work);
    await poll(
      async () =>
        (await link.use((store) => store.getInvocation(first))).state === "running" || undefined,
      { timeoutMs: 5_000 },
    );
    const before = announced;

    await full.enqueue(work);
    await full.stop(0);

    assert.deepEqual([before, announced], [0, 1]);
  });
});
