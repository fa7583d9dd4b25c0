import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sha256Hex } from "../../../src/lib/canonical-json.ts";
import type { ClusterStore, FileDeployment, ObjectChange } from "../../../src/odb/types.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

const by = "operator/ana";

for (const { name, start } of databases) {
  describe(`${name}: bundles, deployments and services`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("keeps bundles of megabytes, byte for byte, and takes the same one twice", async () => {
      const { odb, cluster } = await openDemo(database);
      const code = "export const text = `\u{1F680} ä ' \\ \r\n`;\n".repeat(100_000);
      const bundle = { file: "big.ts", hash: sha256Hex(code), code, sourceMap: code };

      await cluster.storeBundle(bundle, by);
      await cluster.storeBundle(bundle, "someone else");

      const { createdAt, ...stored } = (await cluster.getBundle(bundle.hash))!;
      assert.deepEqual(stored, { ...bundle, createdBy: by });
      assert.match(createdAt, /Z$/);
      assert.equal(await cluster.getBundle("0".repeat(64)), undefined);
      assert.equal(await cluster.revision(), 0);
      assert.deepEqual((await cluster.snapshot()).bundles, []);
      await odb.close();
    });

    it("refuses a bundle whose code is not what its hash says", async () => {
      const { odb, cluster } = await openDemo(database);

      const store = cluster.storeBundle({
        file: "a.ts",
        hash: sha256Hex("one"),
        code: "two",
        sourceMap: "",
      }, by);

      await assert.rejects(store, { code: "ODB_BUNDLE_HASH" });
      await odb.close();
    });

    it("deploys a file, replaces it, rolls back, and lists every act", async () => {
      const { odb, cluster } = await openDemo(database);
      const first = await stored(cluster, "crm.ts", "v1", ["crm.get", "crm.put"]);
      const second = await stored(cluster, "crm.ts", "v2", ["crm.get", "crm.list"]);

      const revisions = [
        (await cluster.deploy([first], by)).revision,
        (await cluster.deploy([second], by)).revision,
        (await cluster.deploy([second], by)).revision,
        (await cluster.deploy([first], "operator/bo")).revision,
      ];

      assert.deepEqual(revisions, [1, 2, 2, 3]);
      assert.deepEqual((await cluster.snapshot()).bundles, [{ file: "crm.ts", hash: first.hash }]);
      const acts = await cluster.listDeployments();
      assert.deepEqual(acts.map((act) => [act.hash, act.current, act.services, act.deployedBy]), [
        [first.hash, true, ["crm.get", "crm.put"], "operator/bo"],
        [second.hash, false, ["crm.get", "crm.list"], by],
        [first.hash, false, ["crm.get", "crm.put"], by],
      ]);
      const services = await cluster.listServices();
      assert.deepEqual(
        services,
        ["crm.get", "crm.put"].map((service) => ({
          name: service,
          description: `Does ${service}`,
          input: { type: "object", service },
          file: "crm.ts",
          hash: first.hash,
          deployedAt: acts[0]!.deployedAt,
        })),
      );
      await odb.close();
    });

    it("keeps a service that a channel uses, whichever version defines it", async () => {
      const { access, odb, cluster } = await openDemo(database);
      const first = await stored(cluster, "crm.ts", "v1", ["crm.get", "crm.put"]);
      const second = await stored(cluster, "crm.ts", "v2", ["crm.get"]);
      const third = await stored(cluster, "crm.ts", "v3", []);
      await cluster.deploy([first], by);
      await cluster.change([channel("r", "crm.get")], { by });
      const ids = () => database.query(access, "select id from service where name = 'crm.get'");
      const before = await ids();

      await cluster.deploy([second], by);

      assert.deepEqual(await ids(), before);
      assert.deepEqual(await cluster.usersOf("Service", "crm.get"), [
        { kind: "RestChannel", name: "r" },
      ]);
      const inUse = {
        code: "ODB_IN_USE",
        message: 'Service "crm.get" is used by RestChannel "r"',
      };
      await assert.rejects(cluster.deploy([third], by), inUse);
      await assert.rejects(cluster.undeploy("crm.ts", by), inUse);
      await assert.rejects(
        database.query(access, "delete from service"),
        /foreign key|FOREIGN KEY/,
      );
      assert.equal((await cluster.snapshot()).bundles[0]!.hash, second.hash);
      await odb.close();
    });

    it("refuses a channel of a service that is not deployed", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.deploy([await stored(cluster, "crm.ts", "v1", ["crm.get"])], by);

      await assert.rejects(cluster.change([channel("r", "crm.gett")], { by }), {
        code: "ODB_REFERENCE_MISSING",
        message: 'RestChannel "r": field service names "crm.gett", ' +
          'but there is no Service of that name, did you mean "crm.get"?',
      });
      await odb.close();
    });

    it("refuses a service that another file defines, and moves one between files", async () => {
      const { odb, cluster } = await openDemo(database);
      const a = await stored(cluster, "a.ts", "a1", ["one", "two"]);
      const b = await stored(cluster, "b.ts", "b1", ["two"]);
      const a2 = await stored(cluster, "a.ts", "a2", ["one"]);
      await cluster.deploy([a], by);

      await assert.rejects(cluster.deploy([b], by), {
        code: "ODB_SERVICE_TAKEN",
        message: 'Service "two" of b.ts is defined by a.ts already',
      });
      await cluster.change([channel("r", "two")], { by });
      const { revision } = await cluster.deploy([b, a2], by);

      assert.equal(revision, 3);
      const services = await cluster.listServices();
      assert.deepEqual(services.map((service) => [service.name, service.file]), [
        ["one", "a.ts"],
        ["two", "b.ts"],
      ]);
      await odb.close();
    });

    it("deploys all files or none", async () => {
      const { odb, cluster } = await openDemo(database);
      const good = await stored(cluster, "a.ts", "a1", ["one"]);
      const missing: FileDeployment = { file: "b.ts", hash: sha256Hex("never"), services: [] };

      await assert.rejects(cluster.deploy([good, missing], by), { code: "ODB_NO_BUNDLE" });

      assert.deepEqual(await cluster.listDeployments(), []);
      assert.deepEqual(await cluster.listServices(), []);
      assert.equal(await cluster.revision(), 0);
      await odb.close();
    });

    it("forgets the code of old versions, keeps what was deployed when, and the current one", async () => {
      const { access, odb, cluster } = await openDemo(database);
      const versions = [];
      for (const code of ["v1", "v2", "v3", "v4"]) {
        versions.push(await stored(cluster, "crm.ts", code, ["crm.get"]));
        await cluster.deploy([versions.at(-1)!], by);
      }
      await cluster.deploy([versions[1]!], by); // v2 is current again, and v4 is next
      const rejected = await stored(cluster, "crm.ts", "rejected", []);
      const other = await stored(cluster, "other.ts", "v1", ["other"]);

      const count = await cluster.pruneBundles("crm.ts", 2);
      const again = await cluster.pruneBundles("crm.ts", 2);
      await database.query(
        access,
        `update bundle set created_at = '2026-01-01T00:00:00.000Z' where hash = '${rejected.hash}'`,
      );
      const orphans = await cluster.pruneBundles("crm.ts", 2);

      assert.deepEqual([count, again, orphans], [2, 0, 1]);
      const history = await cluster.listDeployments("crm.ts");
      assert.deepEqual(history.map(({ hash, isKept, current }) => [hash, isKept, current]), [
        [versions[1]!.hash, true, true],
        [versions[3]!.hash, true, false],
        [versions[2]!.hash, false, false],
        [versions[1]!.hash, true, false],
        [versions[0]!.hash, false, false],
      ]);
      // "v1" is still the code of another file.
      assert.equal((await cluster.getBundle(versions[0]!.hash))?.file, other.file);
      assert.equal(await cluster.getBundle(versions[2]!.hash), undefined);
      await assert.rejects(cluster.deploy([versions[2]!], by), { code: "ODB_NO_BUNDLE" });
      await stored(cluster, "crm.ts", "v3", ["crm.get"]);
      assert.equal((await cluster.deploy([versions[2]!], by)).revision, 6);
      await odb.close();
    });

    it("undeploys a file and keeps its history", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.deploy([await stored(cluster, "hello.ts", "v1", ["hello"])], by);

      const { revision } = await cluster.undeploy("hello.ts", by);

      assert.equal(revision, 2);
      assert.deepEqual(await cluster.listServices(), []);
      assert.deepEqual((await cluster.snapshot()).bundles, []);
      const [gone] = await cluster.listDeployments("hello.ts");
      assert.deepEqual([gone?.current, gone?.removedBy], [false, by]);
      assert.match(gone?.removedAt ?? "", /Z$/);
      await cluster.deploy([await stored(cluster, "hello.ts", "v1", ["hello"])], by);
      await assert.rejects(cluster.undeploy("helo.ts", by), {
        code: "ODB_NO_OBJECT",
        message: 'Deployment "helo.ts" does not exist, did you mean "hello.ts"?',
      });
      await odb.close();
    });
  });
}

async function stored(
  cluster: ClusterStore,
  file: string,
  code: string,
  services: readonly string[],
): Promise<FileDeployment> {
  const hash = sha256Hex(code);
  await cluster.storeBundle({ file, hash, code, sourceMap: "{}" }, by);
  return {
    file,
    hash,
    services: services.map((service) => ({
      name: service,
      description: `Does ${service}`,
      input: { type: "object", service },
    })),
  };
}

function channel(name: string, service: string): ObjectChange {
  const references = [{ field: "service", kinds: ["Service"], name: service }];
  return { op: "put", kind: "RestChannel", name, spec: { service }, references };
}
