import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { openOdb } from "../../../src/odb/open.ts";
import type { ObjectChange } from "../../../src/odb/types.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

const by = { by: "operator/ana" };

for (const { name, start } of databases) {
  describe(`${name}: changes of objects`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("creates, updates and deletes, with a revision and a history for each", async () => {
      const { odb, cluster } = await openDemo(database);

      const created = await cluster.change([put("ApiKey", "a", { n: 1 })], by);
      const updated = await cluster.change([put("ApiKey", "a", { n: 2 })], { by: "operator/bo" });
      const object = await cluster.getObject("ApiKey", "a");
      const deleted = await cluster.change([remove("ApiKey", "a")], by);

      const key = { kind: "ApiKey", name: "a" };
      assert.deepEqual(created, {
        revision: 1,
        changes: [{ ...key, action: "created", revision: 1 }],
      });
      assert.deepEqual(updated, {
        revision: 2,
        changes: [{ ...key, action: "updated", revision: 2 }],
      });
      assert.deepEqual(deleted, {
        revision: 3,
        changes: [{ ...key, action: "deleted", revision: 3 }],
      });
      assert.deepEqual(
        { ...object, createdAt: "", updatedAt: "" },
        {
          ...key,
          spec: { n: 2 },
          revision: 2,
          createdAt: "",
          updatedAt: "",
          updatedBy: "operator/bo",
        },
      );
      assert.ok(object!.createdAt < object!.updatedAt);
      assert.equal(await cluster.getObject("ApiKey", "a"), undefined);
      const history = await cluster.objectHistory("ApiKey", "a");
      assert.deepEqual(
        history.map((row) => [row.revision, row.clusterRevision, row.action, row.spec]),
        [[1, 1, "created", { n: 1 }], [2, 2, "updated", { n: 2 }], [3, 3, "deleted", { n: 2 }]],
      );
      assert.deepEqual(history.map((row) => row.changedBy), [by.by, "operator/bo", by.by]);
      assert.equal(history[1]!.changedAt, object!.updatedAt);
      await odb.close();
    });

    it("never gives a new object the revision that a deleted namesake had", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.change([put("ApiKey", "a", { n: 1 })], by);
      await cluster.change([remove("ApiKey", "a")], by);

      const again = await cluster.change([{ ...put("ApiKey", "a", { n: 2 }), ifRevision: 0 }], by);

      assert.equal(again.changes[0]!.revision, 3);
      assert.equal((await cluster.objectHistory("ApiKey", "a")).length, 3);
      await odb.close();
    });

    it("changes nothing when nothing differs, in whatever order the keys come", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.change([put("ApiKey", "a", { x: 1, y: { p: [1], q: null } })], by);

      const same = await cluster.change([put("ApiKey", "a", { y: { q: null, p: [1] }, x: 1 })], by);

      assert.equal(same.revision, 1);
      assert.equal(same.changes[0]!.action, "unchanged");
      assert.equal(await cluster.revision(), 1);
      assert.equal((await cluster.objectHistory("ApiKey", "a")).length, 1);
      await odb.close();
    });

    it("says what a dry run would do, and does nothing", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.change([put("ApiKey", "a", { n: 1 })], by);

      const dry = await cluster.change([put("ApiKey", "a", { n: 2 }), put("ApiKey", "b")], {
        ...by,
        dryRun: true,
      });

      assert.equal(dry.revision, 1);
      assert.deepEqual(dry.changes.map(({ action }) => action), ["updated", "created"]);
      const objects = await cluster.listObjects();
      assert.deepEqual(objects.map(({ spec }) => spec), [{ n: 1 }]);
      assert.equal(await cluster.revision(), 1);
      await assert.rejects(
        cluster.change([put("RestChannel", "r", {}, ["nope"])], { ...by, dryRun: true }),
        { code: "ODB_REFERENCE_MISSING" },
      );
      await odb.close();
    });

    it("asks the check once for each changed kind, with all objects as they would be", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.change(["a", "b", "c"].map((key) => put("ApiKey", key, { n: 1 })), by);
      await cluster.change([put("Basic", "z")], by);
      const asked: unknown[] = [];

      await cluster.change(
        [
          put("ApiKey", "a", { n: 2 }),
          remove("ApiKey", "b"),
          put("ApiKey", "c", { n: 1 }),
          put("ApiKey", "d"),
          put("Basic", "z"),
        ],
        {
          ...by,
          check: {
            kinds: ["ApiKey", "Basic"],
            run: (objects) => {
              for (const [kind, all] of objects) {
                asked.push([kind, Object.fromEntries(all.map((item) => [item.name, item.spec]))]);
              }
            },
          },
        },
      );

      assert.deepEqual(asked, [
        ["ApiKey", { a: { n: 2 }, c: { n: 1 }, d: {} }],
        ["Basic", { z: {} }],
      ]);
      await odb.close();
    });

    it("changes nothing when the check throws", async () => {
      const { odb, cluster } = await openDemo(database);
      const refusal = new Error("two channels on one path");

      const change = cluster.change([put("ApiKey", "a")], {
        ...by,
        check: {
          kinds: [],
          run: () => {
            throw refusal;
          },
        },
      });

      await assert.rejects(change, refusal);
      assert.deepEqual(await cluster.listObjects(), []);
      assert.equal(await cluster.revision(), 0);
      await odb.close();
    });

    it("lets one of two racing changes of the same revision win", async () => {
      const { access, odb, cluster } = await openDemo(database);
      await cluster.change([put("ApiKey", "a", { n: 0 })], by);
      await using other = await openOdb(access);
      const stores = [cluster, await other.cluster("demo")];

      const results = await Promise.allSettled(
        stores.map((store, n) =>
          store.change([{ ...put("ApiKey", "a", { n: n + 1 }), ifRevision: 1 }], by)
        ),
      );

      const lost = results.filter((result) => result.status === "rejected");
      assert.equal(lost.length, 1);
      assert.ok(isPlatformError(lost[0]!.reason, "ODB_REVISION_CONFLICT"));
      assert.match(lost[0]!.reason.message, /^ApiKey "a" is at revision 2, not 1/);
      assert.equal(await cluster.revision(), 2);
      await odb.close();
    });

    it("carries out every one of many racing changes, one after the other", async () => {
      const { access, odb, cluster } = await openDemo(database);
      await using other = await openOdb(access);
      const stores = [cluster, await other.cluster("demo")];

      const results = await Promise.all(
        Array.from(
          { length: 30 },
          (_, n) =>
            stores[n % 2]!.change([put("ApiKey", `k${n}`), put("ApiKey", "shared", { n })], by),
        ),
      );

      const revisions = results.map(({ revision }) => revision).sort((a, b) => a - b);
      assert.deepEqual(revisions, Array.from({ length: 30 }, (_, n) => n + 1));
      assert.equal((await cluster.listObjects("ApiKey")).length, 31);
      assert.equal((await cluster.getObject("ApiKey", "shared"))!.revision, 30);
      await odb.close();
    });

    it("refuses a wrong revision, an unknown object, and an object named twice", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.change([put("ApiKey", "customer-key")], by);

      await assert.rejects(
        cluster.change([{ ...put("ApiKey", "customer-key", { n: 1 }), ifRevision: 0 }], by),
        { code: "ODB_REVISION_CONFLICT" },
      );
      await assert.rejects(
        cluster.change([{ ...remove("ApiKey", "customer-key"), ifRevision: 7 }], by),
        { code: "ODB_REVISION_CONFLICT" },
      );
      await assert.rejects(cluster.change([remove("ApiKey", "custommer-key")], by), {
        code: "ODB_NO_OBJECT",
        message: 'ApiKey "custommer-key" does not exist, did you mean "customer-key"?',
      });
      await assert.rejects(cluster.change([put("ApiKey", "x"), remove("ApiKey", "x")], by), {
        code: "ODB_DUPLICATE_CHANGE",
      });
      assert.equal(await cluster.revision(), 1);
      await odb.close();
    });

    it("keeps hostile names and specs as they are", async () => {
      const { odb, cluster } = await openDemo(database);
      const names = [
        `'; drop table object; --`,
        `"quoted" \\ back\\'slash`,
        "%_*?",
        "Straße 北京 \u{1F680}\u{1F469}\u200D\u{1F4BB}",
        "strasse",
        "Strasse",
        "e\u0301",
        "\u00e9",
        "x".repeat(255),
        "\u{1F680}".repeat(255),
        "__proto__",
      ];
      const spec = (text: string) => ({
        text,
        "'key\"": "\u0000\u0001\u001f\u2028\ud800",
        nested: [[null, true, 1.5, -0.1e-20, 9007199254740991]],
        ["__proto__x"]: {},
        long: "\u{1F680}".repeat(50_000),
      });

      await cluster.change(names.map((text) => put("ApiKey", text, spec(text))), by);

      for (const text of names) {
        const object = await cluster.getObject("ApiKey", text);
        assert.deepEqual(object?.spec, spec(text), text);
      }
      const listed = await cluster.listObjects("ApiKey");
      assert.deepEqual(new Set(listed.map((object) => object.name)), new Set(names));
      await odb.close();
    });

    it("refuses names that not every database would keep", async () => {
      const { odb, cluster } = await openDemo(database);

      for (const text of ["", " a", "a ", "a\nb", "a\u0000", "\ud800", "x".repeat(256)]) {
        await assert.rejects(cluster.change([put("ApiKey", text)], by), {
          code: "ODB_NAME_INVALID",
        });
      }
      await odb.close();
    });

    it("stores specs of megabytes, many in one change", async () => {
      const { odb, cluster } = await openDemo(database);
      const text = "\u{1F680}ä'\\".repeat(200_000);

      await cluster.change(
        Array.from({ length: 20 }, (_, n) => put("ApiKey", `k${n}`, { n, text })),
        by,
      );

      const objects = await cluster.listObjects();
      assert.equal(objects.length, 20);
      assert.ok(objects.every(({ spec }) => spec["text"] === text));
      await odb.close();
    });

    it("carries out a change of 10,000 objects and reads it back in one snapshot", async () => {
      const { odb, cluster } = await openDemo(database);
      const keys = Array.from({ length: 1_000 }, (_, n) => put("ApiKey", `key-${n}`, { n }));
      const seesAll = { kinds: ["RestChannel", "ApiKey"], run: () => {} };
      const channels = Array.from(
        { length: 9_000 },
        (_, n) =>
          put("RestChannel", `channel-${n}`, { path: `/a/${n}`, note: "x".repeat(150) }, [
            `key-${n % 1_000}`,
          ]),
      );
      const changes = [...channels, ...keys];

      const created = await measure(`${name}: create 10,000`, () => cluster.change(changes, by));
      const updated = await measure(`${name}: update 10,000`, () =>
        cluster.change(
          changes.map((item) => ({ ...item, spec: { ...item.spec, again: true } })),
          { ...by, check: seesAll },
        ));
      const same = await measure(`${name}: 10,000 unchanged`, () =>
        cluster.change(
          changes.map((item) => ({ ...item, spec: { ...item.spec, again: true } })),
          by,
        ));
      const snapshot = await measure(`${name}: snapshot`, () => cluster.snapshot());
      const single = await measure(
        `${name}: one more`,
        () => cluster.change([put("RestChannel", "one", {}, ["key-1"])], { ...by, check: seesAll }),
      );

      assert.equal(created.changes.length, 10_000);
      assert.ok(
        updated.changes.every(({ action, revision }) => action === "updated" && revision === 2),
      );
      assert.equal(same.revision, 2);
      assert.equal(snapshot.revision, 2);
      assert.equal(snapshot.objects.length, 10_000);
      assert.equal(single.revision, 3);
      assert.equal((await cluster.usersOf("ApiKey", "key-7")).length, 9);
      await odb.close();
    });

    it("reads a snapshot at one moment while changes go on", async () => {
      const { access, odb, cluster } = await openDemo(database);
      await using other = await openOdb(access);
      const writer = await other.cluster("demo");
      const changing = (async () => {
        for (let n = 1; n <= 40; n++) {
          await writer.change([put("A", "left", { n }), put("B", "right", { n })], by);
        }
      })();

      for (let revision = 0; revision < 40;) {
        const snapshot = await cluster.snapshot();
        revision = snapshot.revision;
        const numbers = snapshot.objects.map(({ spec }) => spec["n"]);
        assert.deepEqual(numbers, revision === 0 ? [] : [revision, revision]);
      }

      await changing;
      await odb.close();
    });
  });
}

function put(
  kind: string,
  name: string,
  spec: Record<string, unknown> = {},
  security: readonly string[] = [],
): ObjectChange & { readonly op: "put" } {
  const references = security.map((key) => ({
    field: "security",
    kinds: ["ApiKey", "Basic"],
    name: key,
  }));
  return { op: "put", kind, name, spec, references };
}

function remove(kind: string, name: string): ObjectChange {
  return { op: "delete", kind, name };
}

async function measure<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  if (process.env["ODB_TIMES"]) console.log(what, Math.round(performance.now() - start), "ms");
  return result;
}
