import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

// Whoever writes to SQLite stops all others while it is frozen: there is one file, and one writer.
for (const { name, start } of databases.filter(({ name }) => name !== "sqlite")) {
  describe(`${name}: clients that freeze`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("do not hold locks for longer than a statement may wait for them", async () => {
      const { access, odb, cluster } = await openDemo(database);
      const child = fork(new URL("frozen-client.ts", import.meta.url));
      const exit = once(child, "exit");
      try {
        child.send(access);
        const isStopped = () =>
          /^State:\s+T/m.test(readFileSync(`/proc/${child.pid}/status`, "utf8")) || undefined;
        assert.ok(await poll(isStopped, { timeoutMs: 30_000 }), "it did not stop itself");

        const put = { op: "put", kind: "A", name: "free", spec: {}, references: [] } as const;
        const { revision } = await cluster.change([put], { by: "others" });

        assert.equal(revision, 1);
        assert.deepEqual((await cluster.listObjects("A")).map((object) => object.name), ["free"]);
      } finally {
        child.kill("SIGKILL");
        await exit;
      }
      await odb.close();
    });
  });
}
