import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ServerStatus } from "../../src/admin-api/api.ts";
import { poll } from "../../src/lib/wait.ts";
import { damages } from "../faults/damage.ts";
import type { DatabasePeer } from "../peers/database-process.ts";
import { startPostgresql } from "../peers/postgresql.ts";
import { dragoman, dragomanOk, type Quickstart, startQuickstart } from "./quickstart.ts";

let postgresql: DatabasePeer;
let cluster: Quickstart;

before(async () => {
  postgresql = await startPostgresql();
  cluster = await startQuickstart(
    ["--servers", "1", "--odb-url", await postgresql.createDatabase("damaged")],
    { DRAGOMAN_ODB_PASSWORD: postgresql.password },
  );
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await postgresql?.stop();
});

const directory = () => join(cluster.directory, "server1");
const snapshotFile = () => join(directory(), "state/snapshot.json");

async function bundleFile(): Promise<string> {
  const folder = join(directory(), "state/bundles");
  const [name] = (await readdir(folder)).filter((file) => file.endsWith(".mjs"));
  return join(folder, name!);
}

/** Stops the server, damages a file as it lies there, and has it started again. */
async function startDamaged(path: string, bytes: Uint8Array) {
  await dragomanOk(["stop", directory()]);
  await writeFile(path, bytes);
  return await dragoman(["start", directory()]);
}

async function hello(): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${cluster.servers[0]!.url}/demo/hello?name=Ana`, {
    headers: { connection: "close" },
  });
  return { status: response.status, body: await response.json() };
}

const good = { status: 200, body: { hello: "Ana" } };

async function status(): Promise<Pick<ServerStatus, "failures" | "workers">> {
  const { servers } = await cluster.json<{ readonly servers: readonly ServerStatus[] }>("status");
  return servers[0]!;
}

async function failures(): Promise<ServerStatus["failures"]> {
  return (await status()).failures;
}

/** Some of the ways that the tests of the files try one and all. */
const kinds = [/^bit /, /^cut at 66$/, /zeroed$/];

async function someDamages(path: string) {
  const whole = await readFile(path);
  const all = damages(whole, { seed: 16, bits: 4 });
  return { whole, some: kinds.map((kind) => all.find(({ what }) => kind.test(what))!) };
}

describe("A server whose disk has damaged what it keeps", () => {
  it("reads its state from the ODB, and saves it anew", async () => {
    const { whole, some } = await someDamages(snapshotFile());

    for (const { what, bytes } of some) {
      const { exitCode, stderr } = await startDamaged(snapshotFile(), bytes);

      assert.equal(exitCode, 0, `${what}: ${stderr}`);
      assert.deepEqual(await hello(), good, what);
      assert.deepEqual(await readFile(snapshotFile()), whole, what);
    }
  });

  it("fetches code from the ODB again", async () => {
    const path = await bundleFile();
    const { whole, some } = await someDamages(path);

    for (const { what, bytes } of some) {
      const { exitCode, stderr } = await startDamaged(path, bytes);

      assert.equal(exitCode, 0, `${what}: ${stderr}`);
      assert.deepEqual(await hello(), good, what);
      assert.deepEqual(await readFile(path), whole, what);
    }
  });

  it("fetches code again when only a worker starts anew", async () => {
    const path = await bundleFile();
    const whole = await readFile(path);
    await writeFile(path, "export {};");
    const pidOf = async () => (await status()).workers[0]?.pid;
    const pid = await pidOf();
    process.kill(pid!, "SIGKILL");

    const served = await poll(async () => {
      if (await pidOf() === pid) return undefined;
      return await hello().catch(() => undefined);
    }, { timeoutMs: 20_000 });

    assert.deepEqual(served, good);
    assert.deepEqual(await readFile(path), whole);
  });
});

describe("While the ODB is away as well", () => {
  before(() => postgresql.kill());
  after(() => postgresql.restart());

  it("a server says that its state is damaged, and does not serve a part of it", async () => {
    const { whole, some } = await someDamages(snapshotFile());

    for (const { what, bytes } of some) {
      const { exitCode, stderr } = await startDamaged(snapshotFile(), bytes);

      assert.equal(exitCode, 1, what);
      assert.match(stderr, /cannot be reached, and ".*snapshot\.json" .* is damaged/, what);
      await assert.rejects(hello(), what);
    }
    await writeFile(snapshotFile(), whole);
    await dragomanOk(["start", directory()]);
    assert.deepEqual(await hello(), good);
  });

  it("a server does not run damaged code, says so, and runs it once the ODB is back", async () => {
    const path = await bundleFile();
    const { whole, some } = await someDamages(path);
    const { exitCode, stderr } = await startDamaged(path, some[0]!.bytes);
    assert.equal(exitCode, 0, stderr);
    const without = await hello();
    const told = await failures();

    await postgresql.restart();
    const served = await poll(async () => {
      const answer = await hello();
      return answer.status === 200 ? answer : undefined;
    }, { timeoutMs: 20_000 });

    assert.equal(without.status, 404);
    assert.match(
      told.find(({ kind }) => kind === "Deployment")?.error ?? "",
      /ODB at .* cannot be used/,
    );
    assert.deepEqual(served, good);
    assert.deepEqual(await readFile(path), whole);
    assert.deepEqual(await failures(), []);
  });
});
