import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ObjectChange, ObjectReference } from "../../../src/odb/types.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

const by = { by: "operator/ana" };

for (const { name, start } of databases) {
  describe(`${name}: references`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("finds a name among the given kinds, in whatever order objects come", async () => {
      const { odb, cluster } = await openDemo(database);

      await cluster.change([
        put("RestChannel", "b", [security("crm-key"), security("crm-key")]),
        put("RestChannel", "a", [security("crm-key")]),
        put("ApiKey", "crm-key"),
        put("BasicAuth", "unused"),
      ], by);

      assert.deepEqual(await cluster.usersOf("ApiKey", "crm-key"), [
        { kind: "RestChannel", name: "a" },
        { kind: "RestChannel", name: "b" },
      ]);
      assert.deepEqual(await cluster.usersOf("BasicAuth", "unused"), []);
      assert.deepEqual(await cluster.usersOf("BasicAuth", "nope"), []);
      await odb.close();
    });

    it("names object, field, missing name and the nearest that exists", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.change([put("ApiKey", "crm-key")], by);

      const change = cluster.change([
        put("RestChannel", "r", [security("crm-kee"), security("zzz")]),
      ], by);

      await assert.rejects(change, {
        code: "ODB_REFERENCE_MISSING",
        message: 'RestChannel "r": field security names "crm-kee", ' +
          'but there is no ApiKey or BasicAuth of that name, did you mean "crm-key"?; ' +
          'RestChannel "r": field security names "zzz", ' +
          "but there is no ApiKey or BasicAuth of that name",
        details: {
          missing: ["crm-kee", "zzz"].map((missing) => {
            return { kind: "RestChannel", name: "r", field: "security", missing };
          }),
        },
      });
      assert.equal(await cluster.revision(), 1);
      await odb.close();
    });

    it("refuses a name that two of the kinds have", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.change([put("ApiKey", "x"), put("BasicAuth", "x")], by);

      await assert.rejects(cluster.change([put("RestChannel", "r", [security("x")])], by), {
        code: "ODB_REFERENCE_AMBIGUOUS",
        message: /names "x", which is the name of a ApiKey and a BasicAuth/,
      });
      await odb.close();
    });

    it("refuses to delete what is used, with the list of users", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.change([
        put("ApiKey", "key"),
        ...Array.from({ length: 7 }, (_, n) => put("RestChannel", `r${n}`, [security("key")])),
      ], by);

      const used = { kind: "ApiKey", name: "key" };
      await assert.rejects(cluster.change([remove("ApiKey", "key")], by), {
        code: "ODB_IN_USE",
        message: 'ApiKey "key" is used by RestChannel "r0", RestChannel "r1", ' +
          'RestChannel "r2", RestChannel "r3", RestChannel "r4" and 2 more',
        details: {
          uses: Array.from({ length: 7 }, (_, n) => {
            return { user: { kind: "RestChannel", name: `r${n}` }, used };
          }),
        },
      });
      assert.ok(await cluster.getObject("ApiKey", "key"));
      await odb.close();
    });

    it("deletes what is used together with its users, or with their references", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.change([
        put("ApiKey", "key"),
        put("RestChannel", "gone", [security("key")]),
        put("RestChannel", "changed", [security("key")]),
      ], by);

      await cluster.change([
        remove("ApiKey", "key"),
        remove("RestChannel", "gone"),
        put("RestChannel", "changed", [], { open: true }),
      ], by);

      const objects = await cluster.listObjects();
      assert.deepEqual(objects.map((object) => object.name), ["changed"]);
      await odb.close();
    });

    it("refuses a reference to what the same change deletes", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.change([put("ApiKey", "key")], by);

      await assert.rejects(
        cluster.change([put("RestChannel", "r", [security("key")]), remove("ApiKey", "key")], by),
        { code: "ODB_REFERENCE_MISSING" },
      );
      assert.equal((await cluster.listObjects()).length, 1);
      await odb.close();
    });

    it("lets an object name itself, and be deleted", async () => {
      const { odb, cluster } = await openDemo(database);
      const self: ObjectReference = { field: "fallback", kinds: ["RestChannel"], name: "r" };

      await cluster.change([put("RestChannel", "r", [self])], by);
      await cluster.change([remove("RestChannel", "r")], by);

      assert.deepEqual(await cluster.listObjects(), []);
      await odb.close();
    });

    it("does not find objects of another cluster", async () => {
      const { odb, cluster } = await openDemo(database);
      await odb.createCluster("other", { keyCheck: "" });
      await (await odb.cluster("other")).change([put("ApiKey", "key")], by);

      await assert.rejects(cluster.change([put("RestChannel", "r", [security("key")])], by), {
        code: "ODB_REFERENCE_MISSING",
      });
      await odb.close();
    });

    it("is backed by the database, which refuses what goes past us", async () => {
      const { access, odb, cluster } = await openDemo(database);
      await cluster.change([
        put("ApiKey", "key"),
        put("RestChannel", "r", [security("key")]),
      ], by);
      const refused = /foreign key|check constraint|constraint failed/i;
      const query = (sql: string) => database.query(access, sql);

      await assert.rejects(query("delete from object where name = 'key'"), refused);
      await assert.rejects(query("delete from cluster"), refused);
      await assert.rejects(
        query("insert into object_reference values (1, 'f', 12345, null)"),
        refused,
      );
      await assert.rejects(
        query("insert into object_reference values (1, 'f', null, null)"),
        name === "mysql" ? /CONSTRAINT `object_reference_target` failed/ : refused,
      );
      await query("delete from object where name = 'r'");
      assert.deepEqual(await cluster.usersOf("ApiKey", "key"), []);
      await odb.close();
    });
  });
}

function security(name: string): ObjectReference {
  return { field: "security", kinds: ["ApiKey", "BasicAuth"], name };
}

function put(
  kind: string,
  name: string,
  references: readonly ObjectReference[] = [],
  spec: Record<string, unknown> = {},
): ObjectChange {
  return { op: "put", kind, name, spec, references };
}

function remove(kind: string, name: string): ObjectChange {
  return { op: "delete", kind, name };
}
