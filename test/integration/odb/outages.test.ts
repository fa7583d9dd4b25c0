import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import { openOdb } from "../../../src/odb/open.ts";
import type { Odb } from "../../../src/odb/types.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import type { DatabasePeer } from "../../peers/database-process.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

const by = { by: "operator/ana" };
const object = { op: "put", kind: "A", name: "a", spec: {}, references: [] } as const;
const unreachable = { code: "ODB_UNREACHABLE", kind: "peer" };

for (const { name, start } of databases.filter((database) => database.name !== "sqlite")) {
  describe(`${name}: outages`, () => {
    let database: TestDatabase;
    let peer: DatabasePeer;
    before(async () => {
      database = await start();
      peer = database.peer!;
    });
    after(() => database.stop());

    it("says in words why it cannot connect, and what to do, and shows no password", async () => {
      const { url, password } = await database.createEmpty();
      const { port, pathname } = new URL(url);
      const free = await findFreePort();
      const address = `127.0.0.1:${port}${pathname}`;
      const attempts = [
        [
          { url, password: "wrong-secret" },
          `${address} cannot be used: user "dragoman" or its password is wrong`,
          /odb-password/,
        ],
        [
          { url },
          `${address} cannot be used: it wants a password for user "dragoman", ` +
          "and none is configured",
          /odb-password/,
        ],
        [
          { url: url.replace(pathname, "/nope"), password: password! },
          `127.0.0.1:${port}/nope cannot be used: it has no database "nope"`,
          /Create the database/,
        ],
        [
          { url: url.replace(port, String(free)), password: password! },
          `127.0.0.1:${free}${pathname} cannot be used: nothing listens there (connection refused)`,
          /runs and that its address/,
        ],
      ] as const;

      for (const [options, message, advice] of attempts) {
        await assert.rejects(openOdb(options), (error: unknown) => {
          assert.ok(isPlatformError(error, "ODB_UNREACHABLE"));
          assert.equal(error.message, `The ODB at ${message}`);
          assert.match(String(error.advice), advice);
          assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /wrong-secret/);
          return true;
        });
      }
    });

    it("fails fast while the database is down, and recovers when it is back", async () => {
      const lines: string[] = [];
      const logger = createLogger({ write: (line) => lines.push(JSON.parse(line).msg) });
      const { odb, cluster } = await openDemo(database, { logger });
      await cluster.change([object], by);
      await Promise.all(Array.from({ length: 8 }, () => cluster.snapshot()));

      await peer.kill();
      for (let call = 0; call < 3; call++) {
        await assert.rejects(cluster.revision(), unreachable);
        await assert.rejects(cluster.change([{ ...object, spec: { call } }], by), unreachable);
        await assert.rejects(odb.ping(), unreachable);
      }
      await peer.restart();

      assert.equal(await cluster.revision(), 1);
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, n) => cluster.change([{ ...object, spec: { n } }], by)),
      );
      assert.equal(Math.max(...results.map(({ revision }) => revision)), 9);
      assert.deepEqual(lines, ["ODB cannot be used", "ODB is back"]);
      await odb.close();
    });

    it("loses a transaction that the database's death interrupts, whole", async () => {
      const { odb, cluster } = await openDemo(database);
      const changes = Array.from({ length: 3_000 }, (_, n) => ({ ...object, name: `k${n}` }));
      const change = cluster.change(changes, {
        ...by,
        check: { kinds: [], run: () => void peer.kill() },
      });

      await assert.rejects(change, unreachable);
      await peer.restart();

      assert.deepEqual(await cluster.listObjects(), []);
      assert.equal(await cluster.revision(), 0);
      await odb.close();
    });

    it("ends every call within its limits while the database hangs", async () => {
      const { access, odb, cluster } = await openDemo(database, {
        queryTimeoutMs: 400,
        connectTimeoutMs: 300,
      });
      await Promise.all(Array.from({ length: 8 }, () => cluster.snapshot()));
      const reasons: string[] = [];
      const failed = (error: unknown) => {
        assert.ok(isPlatformError(error, "ODB_UNREACHABLE"), String(error));
        reasons.push(String(error));
        return true;
      };

      peer.freeze();
      try {
        await Promise.all([
          ...Array.from({ length: 20 }, () => assert.rejects(cluster.snapshot(), failed)),
          assert.rejects(cluster.change([object], by), failed),
          assert.rejects(openOdb({ ...access, connectTimeoutMs: 300 }), failed),
        ]);
      } finally {
        peer.thaw();
      }

      assert.ok(
        reasons.some((reason) => /it gave no answer for 0\.4 s$/.test(reason)),
        String(reasons),
      );
      assert.ok(reasons.some((reason) => /no answer within 0\.3 s$/.test(reason)));
      const change = await poll(() => cluster.change([object], by).catch(() => undefined), {
        timeoutMs: 10_000,
      });
      assert.equal(change?.revision, 1);
      await odb.close();
    });

    it("closes while the database hangs", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.snapshot();

      peer.freeze();
      try {
        await odb.close();
      } finally {
        peer.thaw();
      }
      await assert.rejects(odb.ping(), /destroyed/);
    });

    it("opens lazily without a database, and works once there is one", async () => {
      const access = await database.createEmpty();
      await peer.kill();

      await using odb: Odb = await openOdb({ ...access, lazy: true });
      await assert.rejects(odb.checkSchema(), unreachable);
      await peer.restart();

      await odb.migrate();
      await odb.checkSchema();
    });
  });
}
