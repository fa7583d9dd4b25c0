import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { answers, openBench, untilServer, withCode } from "./bench.ts";
import { request } from "./haproxy-client.ts";

for (const engine of ["haproxy", "embedded"] as const) {
  describe(`operators of the ${engine} balancer`, () => {
    it("take a server out for maintenance, and it stays out however often it registers", async () => {
      await using bench = await openBench(engine, ["a", "b"]);
      const { setup, operator, backends: [a] } = bench;

      const result = await operator.maintenance("a", { why: "new disk" });
      assert.deepEqual(result, { revision: 1, changed: true, peers: [] });
      await bench.register(a!);
      const out = await untilServer(operator, "a", ({ state }) => state === "maintenance");
      assert.equal(out.wanted, "maintenance");
      assert.deepEqual(await answers(setup.port, 4), { b: 4 });

      await setup.stop();
      await setup.start();
      await bench.register(a!);
      await untilServer(operator, "b", ({ state }) => state === "up");
      await untilServer(operator, "a", ({ state }) => state === "maintenance");
      assert.deepEqual(await answers(setup.port, 4), { b: 4 });

      await operator.ready("a");
      await untilServer(operator, "a", ({ state }) => state === "up");
      assert.deepEqual(await answers(setup.port, 4), { a: 2, b: 2 });
    });

    it("drain a server until they say otherwise, over restarts and registrations", async () => {
      await using bench = await openBench(engine, ["a", "b"]);
      const { setup, operator, backends: [a] } = bench;

      await operator.drain("a");
      await bench.register(a!);
      await untilServer(operator, "a", ({ state }) => state === "draining");
      await setup.stop();
      await setup.start();
      await untilServer(operator, "b", ({ state }) => state === "up");
      await untilServer(operator, "a", ({ state }) => state === "draining");
      assert.deepEqual(await answers(setup.port, 4), { b: 4 });

      await operator.setWeight("a", 50);
      assert.deepEqual(await answers(setup.port, 4), { b: 4 });
      await operator.ready("a");
      await untilServer(operator, "a", ({ state }) => state === "up");
      assert.deepEqual(await answers(setup.port, 30), { a: 10, b: 20 });
    });

    it("give servers weights that last", async () => {
      await using bench = await openBench(engine, ["a", "b"]);
      const { setup, operator, backends } = bench;

      await operator.setWeight("a", 25);
      const counts = await answers(setup.port, 50);
      assert.deepEqual(counts, { a: 10, b: 40 });

      await setup.stop();
      await setup.start();
      for (const backend of backends) await bench.register(backend);
      for (const name of ["a", "b"]) await untilServer(operator, name, (one) => one.state === "up");
      assert.deepEqual(await answers(setup.port, 50), { a: 10, b: 40 });
      const { weight, weightWanted } = await untilServer(operator, "a", () => true);
      assert.deepEqual([weight, weightWanted], [25, 25]);

      await operator.setWeight("a", 0);
      assert.deepEqual(await answers(setup.port, 5), { b: 5 });
      await assert.rejects(operator.setWeight("a", 300), withCode("BALANCER_BAD_CONFIGURATION"));
      await assert.rejects(operator.setWeight("c", 3), withCode("BALANCER_NO_SUCH_SERVER"));
    });

    it("have every server that comes get its share, however servers are chosen", async () => {
      const names = ["a", "b", "c", "d"];
      for (const algorithm of ["random", "leastconn", "hash:header:X-Tenant"]) {
        await using bench = await openBench(engine, names, algorithm);
        const served = new Set<string>();
        for (let n = 0; n < 100; n++) {
          const headers = { "X-Tenant": `tenant-${n}` };
          served.add(JSON.parse((await request(bench.setup.port, { headers })).body).server);
        }
        assert.deepEqual([...served].sort(), names, algorithm);
      }
    });

    it("choose how servers are chosen", async () => {
      await using bench = await openBench(engine, ["a", "b", "c"]);
      const { setup, operator } = bench;
      const serverOf = async (headers: Record<string, string>, path = "/") =>
        JSON.parse((await request(setup.port, { headers, path })).body).server;

      await operator.setAlgorithm("hash:header:X-Tenant");
      assert.equal((await operator.status()).algorithm, "hash:header:X-Tenant");
      const tenants = Array.from({ length: 20 }, (_, n) => ({ "X-Tenant": `tenant-${n}` }));
      const first = await Promise.all(tenants.map((headers) => serverOf(headers)));
      const second = await Promise.all(tenants.map((headers) => serverOf(headers)));
      assert.deepEqual(second, first);
      assert.equal(new Set(first).size, 3, `${first}`);

      await operator.drain("a");
      const without = await Promise.all(tenants.map((headers) => serverOf(headers)));
      for (const [index, server] of without.entries()) {
        if (first[index] !== "a") assert.equal(server, first[index], "moved without need");
      }
      await operator.ready("a");

      await operator.setAlgorithm("hash:source");
      assert.equal(Object.keys(await answers(setup.port, 6)).length, 1);
      await operator.setAlgorithm("hash:uri");
      const paths = ["/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h"];
      const byPath = await Promise.all(paths.map((path) => serverOf({}, path)));
      assert.deepEqual(await Promise.all(paths.map((path) => serverOf({}, path))), byPath);
      assert.ok(new Set(byPath).size > 1);

      await operator.setAlgorithm("random");
      await operator.setWeight("a", 25);
      const { a = 0, b = 0, c = 0 } = await answers(setup.port, 300);
      // 33, 133 and 133 on average, and never so far from it.
      assert.ok(a < 80 && b > 70 && c > 70, `${a}, ${b}, ${c}`);
      await operator.setWeight("a", 100);

      await operator.setAlgorithm("leastconn");
      await operator.drain("c");
      const slow: Promise<unknown>[] = [];
      // One after the other: of two at the same moment neither counts for the other.
      for (const busy of [1, 2, 3, 4]) {
        slow.push(request(setup.port, { path: "/?ms=4000" }));
        const seen = await poll(async () => {
          const { servers } = await operator.status();
          return servers.reduce((sum, one) => sum + one.sessionsCurrent, 0) === busy || undefined;
        }, { timeoutMs: 3_000, intervalMs: 10 });
        assert.ok(seen, JSON.stringify(await operator.status()));
      }
      await operator.ready("c");
      await untilServer(operator, "c", ({ state }) => state === "up");
      assert.deepEqual(await answers(setup.port, 3), { c: 3 });
      await Promise.all(slow);
      await operator.setAlgorithm("roundrobin");
      assert.deepEqual(await answers(setup.port, 6), { a: 2, b: 2, c: 2 });
      await assert.rejects(
        operator.setAlgorithm("fastest"),
        withCode("BALANCER_BAD_CONFIGURATION", /roundrobin, leastconn/),
      );
    });

    it("add and remove servers by hand", async () => {
      await using bench = await openBench(engine, ["a"]);
      const { setup, operator } = bench;
      const old = await setup.backend("old");

      await operator.addServer("old", `127.0.0.1:${old.port}`);
      const added = await untilServer(operator, "old", ({ state }) => state === "up");
      assert.equal(added.registered, false);
      assert.deepEqual(await answers(setup.port, 4), { a: 2, old: 2 });
      await operator.removeServer("old");
      assert.deepEqual(await answers(setup.port, 4), { a: 4 });
      await assert.rejects(
        operator.addServer("old", "nowhere"),
        withCode("BALANCER_BAD_CONFIGURATION", /not host:port/),
      );
    });

    it("see who changed what, compare, and go back to any earlier configuration", async () => {
      await using bench = await openBench(engine, ["a", "b"]);
      const { setup, operator } = bench;
      const webAdmin = await setup.client("web-admin", "console");
      await operator.setAlgorithm("leastconn", { why: "long requests" });
      await webAdmin.setWeight("a", 25);
      await operator.drain("b");

      const history = await operator.configuration.history();
      assert.deepEqual(history.map(({ id, by, why }) => [id, by, why]), [
        ["3", "operator/ana", "drain b"],
        ["2", "web-admin/console", "weight a 25"],
        ["1", "operator/ana", "long requests"],
      ]);
      const diff = await operator.configuration.diff({ to: "1" });
      assert.ok(diff.document.some((line) => /^- .*weight: 25/.test(line)), `${diff.document}`);
      assert.ok(diff.native.length > 0);

      await operator.configuration.apply({ document: { retries: 3 } });
      const { servers } = (await operator.configuration.show()).document;
      assert.deepEqual(servers, { a: { weight: 25 }, b: { state: "drain" } });

      await operator.configuration.revert("0");
      const { head, document } = await operator.configuration.show();
      assert.equal(head?.revision, 5);
      assert.equal(document.algorithm, "roundrobin");
      assert.deepEqual(document.servers, { b: { state: "drain" } });
      assert.deepEqual(await answers(setup.port, 4), { a: 4 });
      await operator.configuration.revert("2");
      assert.equal((await operator.status()).algorithm, "leastconn");
      await assert.rejects(
        operator.configuration.revert("99"),
        withCode("BALANCER_NO_SUCH_REVISION"),
      );
      const { head: base } = await operator.configuration.show();
      for (const stale of [null, history.at(-1)!]) {
        await assert.rejects(
          operator.configuration.apply({ document: {}, base: stale }),
          withCode("BALANCER_CHANGED_MEANWHILE"),
        );
      }
      assert.ok((await operator.configuration.apply({ document: {}, base: base! })).changed);
    });

    it("have every request in a log, with its correlation id and without its query", async () => {
      await using bench = await openBench(engine, ["a"]);
      const { setup, operator } = bench;
      const file = join(setup.directory, "log", "access.log");
      await assert.rejects(readFile(file), "it is off unless asked for");

      await operator.configuration.apply({ document: { accessLog: "file" } });
      const headers = { "X-Request-Id": 'my "own" \\ id' };
      await request(setup.port, { path: '/one"two\\?secret=1', headers });
      await request(setup.port, { method: "POST", body: "{}" });
      await operator.drain("a");
      assert.equal((await request(setup.port, { path: "/none" })).status, 503);

      const text = await poll(async () => {
        const text = await readFile(file, "utf8").catch(() => "");
        return text.split("\n").length >= 4 ? text : undefined;
      }, { timeoutMs: 5_000 });
      assert.ok(text, "no three lines came");
      const lines = text.trim().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(Object.keys(lines[0]), [
        ...["time", "client", "method", "path", "status", "server", "cid", "requestId"],
        ...["totalMs", "queueMs", "connectMs", "serverMs", "bytes", "end"],
      ]);
      assert.deepEqual(
        lines.map(({ method, path, status, server }) => [method, path, status, server]),
        [
          ["GET", '/one"two\\', 200, "a"],
          ["POST", "/", 200, "a"],
          ["GET", "/none", 503, "<NOSRV>"],
        ],
      );
      assert.equal(lines[0].requestId, headers["X-Request-Id"]);
      assert.equal(lines[0].client, "127.0.0.1");
      assert.match(lines[0].cid, /^cid-/);
      assert.ok(Math.abs(lines[0].time - Date.now()) < 60_000);
      assert.ok(!text.includes("secret"));
    });

    it("see every figure", async () => {
      await using bench = await openBench(engine, ["a"]);
      await answers(bench.setup.port, 3);

      const { info, rows } = await bench.operator.statistics();

      assert.ok(Object.keys(info).length > 0);
      assert.equal(rows.find(({ svname }) => svname === "a")?.["stot"], "3");
    });
  });
}

describe("operators of the embedded balancer", () => {
  it("are told what it cannot do", async () => {
    await using bench = await openBench("embedded", ["a"]);
    const { operator } = bench;
    const apply = (document: unknown) => operator.configuration.apply({ document });
    const cannot = (what: RegExp) => withCode("BALANCER_ENGINE_CANNOT", what);

    await assert.rejects(operator.command("show info"), cannot(/HAProxy's commands/));
    await assert.rejects(
      apply({ lines: { global: ["nbthread 2"] } }),
      cannot(/HAProxy's language/),
    );
    await assert.rejects(apply({ timeouts: { serverMs: 5 } }), cannot(/timeouts while it runs/));
    assert.deepEqual(await operator.configuration.history(), []);
  });
});
