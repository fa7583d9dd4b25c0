import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openOdb } from "./open.ts";
import type { ClusterStore, ObjectChange, Odb } from "./types.ts";

const by = { by: "operator/ana" };

// What all databases share is tested in test/integration/odb; here is what only SQLite has.
describe("openOdb with a SQLite file", () => {
  let directory: string;
  let count = 0;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "dragoman-odb-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  async function openDemo(
    options: { readonly queryTimeoutMs?: number } = {},
  ): Promise<{ path: string; odb: Odb; cluster: ClusterStore }> {
    const path = join(directory, `demo ${++count}%.db`);
    const odb = await openOdb({ url: `sqlite://${encodeURI(path)}`, ...options });
    await odb.migrate();
    await odb.createCluster("demo", { keyCheck: "sealed" });
    return { path, odb, cluster: await odb.cluster("demo") };
  }

  it("makes the file when it migrates, and not before", async () => {
    const path = join(directory, "new.db");
    await using odb = await openOdb({ url: `sqlite://${path}` });

    await assert.rejects(odb.checkSchema(), {
      code: "ODB_UNREACHABLE",
      message: `The ODB at ${path} cannot be used: there is no such file`,
      advice: /create odb/,
    });
    assert.equal(existsSync(path), false);
    await odb.migrate();

    await odb.checkSchema();
  });

  it("says why a file cannot be used", async () => {
    const text = join(directory, "text.db");
    writeFileSync(text, "This is no database at all.\n".repeat(100));
    mkdirSync(join(directory, "folder.db"));

    await assert.rejects(openOdb({ url: `sqlite://${text}` }), {
      code: "ODB_UNREACHABLE",
      message: /file is not a database/,
      advice: /is a SQLite database/,
    });
    await assert.rejects(openOdb({ url: `sqlite://${directory}/folder.db` }), {
      code: "ODB_UNREACHABLE",
    });
    await assert.rejects(openOdb({ url: `sqlite://${directory}/nowhere/a.db` }), {
      code: "ODB_UNREACHABLE",
      message: /its directory does not exist/,
    });
  });

  it("notices that the file was moved away, and that it is back", async () => {
    const { path, odb, cluster } = await openDemo();
    await cluster.change([put("a")], by);

    renameSync(path, `${path}.away`);
    await assert.rejects(cluster.revision(), { code: "ODB_UNREACHABLE" });
    await assert.rejects(cluster.change([put("b")], by), { code: "ODB_UNREACHABLE" });
    renameSync(`${path}.away`, path);

    assert.equal(await cluster.revision(), 1);
    await odb.close();
  });

  it("waits for a writer of another connection, and gives up at its limit", async () => {
    const { path, odb, cluster } = await openDemo({ queryTimeoutMs: 300 });
    const other = new DatabaseSync(path);

    other.exec("begin immediate");
    await assert.rejects(cluster.change([put("a")], by), {
      code: "ODB_UNREACHABLE",
      message: /another process has locked it for 0\.3 s$/,
    });
    assert.deepEqual((await cluster.snapshot()).objects, []);
    const waiting = cluster.change([put("a")], by);
    other.exec("commit");

    assert.equal((await waiting).revision, 1);
    other.close();
    await odb.close();
  });

  it("keeps what was committed when it is opened again", async () => {
    const { path, odb, cluster } = await openDemo();
    await cluster.change([put("a")], by);
    await odb.close();

    await using again = await openOdb({ url: `sqlite://${encodeURI(path)}` });

    assert.equal((await (await again.cluster("demo")).snapshot()).objects.length, 1);
    await assert.rejects(odb.ping(), /destroyed/);
  });

  it("serialises the transactions of one process", async () => {
    const { odb, cluster } = await openDemo();

    const changes = Array.from({ length: 20 }, (_, n) => cluster.change([put(`k${n}`)], by));
    const revisions = (await Promise.all(changes)).map(({ revision }) => revision);

    assert.deepEqual(revisions, Array.from({ length: 20 }, (_, n) => n + 1));
    await odb.close();
  });

  it("changes an object, and refuses to delete what is used", async () => {
    const { odb, cluster } = await openDemo();
    const references = [{ field: "security", kinds: ["ApiKey"], name: "key" }];

    await cluster.change([
      { op: "put", kind: "RestChannel", name: "r", spec: {}, references },
      put("key"),
    ], by);

    await assert.rejects(cluster.change([{ op: "delete", kind: "ApiKey", name: "key" }], by), {
      code: "ODB_IN_USE",
      message: 'ApiKey "key" is used by RestChannel "r"',
    });
    await odb.close();
  });
});

function put(name: string): ObjectChange {
  return { op: "put", kind: "ApiKey", name, spec: {}, references: [] };
}
