import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { LoadBalancerConfig } from "../../../src/config/schemas.ts";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { sendCommand } from "../../../src/load-balancer/haproxy/control-socket.ts";
import { Load, RawConnection, renderRequest, request } from "./haproxy-client.ts";
import { HaproxySetup, untilServer } from "./haproxy-setup.ts";

/** The same configuration, but for one value that makes HAProxy read it anew. */
function changed(config: LoadBalancerConfig, retries: number): LoadBalancerConfig {
  return { ...config, retries };
}

/** Who answers each of `count` requests. */
async function answerers(port: number, count: number): Promise<readonly string[]> {
  const connection = await RawConnection.open(port);
  const servers: string[] = [];
  for (let n = 0; n < count; n++) {
    connection.write(renderRequest());
    servers.push(JSON.parse((await connection.readResponse()).body).server);
  }
  connection.close();
  return servers;
}

describe("HAProxy reloads", () => {
  for (const method of ["GET", "POST"] as const) {
    it(`fails no ${method} of kept-alive clients in five reloads`, async () => {
      await using setup = await HaproxySetup.open();
      const engine = await setup.start(await setup.backends("a", "b"));
      const pids = new Set([await setup.haproxyPid()]);

      const load = new Load({ port: setup.port, method });
      for (let round = 1; round <= 5; round++) {
        await load.further(100);
        await engine.configuration.apply({ config: changed(setup.config, 3 + round) });
        pids.add(await setup.haproxyPid());
      }
      await load.further(100);
      const { ok, failures } = await load.stop();

      assert.deepEqual(failures, []);
      assert.ok(ok >= 600);
      assert.equal(pids.size, 6);
    });
  }

  it("keeps what it knew of the servers' health", async () => {
    await using setup = await HaproxySetup.open({ healthCheck: { intervalMs: 2_000 } });
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.start([a!, b!]);
    await a!.kill();
    await answerers(setup.port, 2);
    await untilServer(engine, "a", ({ state }) => state === "down");

    await engine.configuration.apply({ config: changed(setup.config, 5) });

    const { servers } = await engine.status();
    assert.deepEqual(servers.map(({ name, state }) => [name, state]), [["a", "down"], ["b", "up"]]);
  });

  it("moves to another port", async () => {
    await using setup = await HaproxySetup.open();
    const engine = await setup.start(await setup.backends("a"));
    const port = await findFreePort();

    await engine.configuration.apply({
      config: { ...setup.config, http: { host: "127.0.0.1", port } },
    });

    assert.equal((await request(port)).status, 200);
    await assert.rejects(request(setup.port));
  });

  it("refuses a port that is taken, and goes on serving", async () => {
    await using setup = await HaproxySetup.open();
    const [a] = await setup.backends("a");
    const engine = await setup.start([a!]);
    const pid = await setup.haproxyPid();

    const http = { host: "127.0.0.1", port: a!.port };
    await assert.rejects(
      engine.configuration.apply({ config: { ...setup.config, http } }),
      (error) => isPlatformError(error, "BALANCER_PORT_IN_USE"),
    );

    assert.equal((await request(setup.port)).status, 200);
    assert.equal(await setup.haproxyPid(), pid);
  });

  it("refuses what HAProxy refuses, in its words and with its line, and goes on serving", async () => {
    await using setup = await HaproxySetup.open();
    const engine = await setup.start(await setup.backends("a"));
    const pid = await setup.haproxyPid();
    const file = join(setup.paths.state, "haproxy.cfg");
    const text = await readFile(file, "utf8");
    // Longer than HAProxy's longest time; our own schema has no such limit.
    const timeouts = { ...setup.config.timeouts, tunnelMs: 3e12 };

    for (const act of ["check", "apply"] as const) {
      await assert.rejects(
        engine.configuration[act]({ config: { ...setup.config, timeouts } }),
        (error: unknown) =>
          isPlatformError(error, "BALANCER_CONFIG_REFUSED") &&
          /haproxy\.candidate\.cfg:\d+.*timer overflow/.test(error.message),
      );
    }

    assert.equal((await request(setup.port)).status, 200);
    assert.equal(await setup.haproxyPid(), pid);
    assert.equal(await readFile(file, "utf8"), text);
    assert.equal(engine.configuration.text(), text);
  });
});

describe("HAProxy's servers", () => {
  it("join, drain, come back and leave under load without a reload or a failure", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b, c] = await setup.backends("a", "b", "c");
    const engine = await setup.start([a!, b!]);
    const pid = await setup.haproxyPid();

    const load = new Load({ port: setup.port, method: "POST" });
    await load.further(100);
    await engine.setServers([a!, b!, c!]);
    await load.further(100);
    await engine.setServers([{ ...a!, draining: true }, b!, c!]);
    await untilServer(
      engine,
      "a",
      ({ state, sessionsCurrent }) => state === "draining" && sessionsCurrent === 0,
    );
    const drained = await untilServer(engine, "a", () => true);
    await load.further(100);
    const still = await untilServer(engine, "a", () => true);
    await engine.setServers([a!, b!, c!]);
    await load.further(100);
    await engine.setServers([a!, c!]);
    await load.further(100);
    const { failures, byServer } = await load.stop();

    assert.deepEqual(failures, []);
    assert.equal(await setup.haproxyPid(), pid);
    assert.equal(still.requestsTotal, drained.requestsTotal);
    assert.deepEqual([...byServer.keys()].sort(), ["a", "b", "c"]);
    assert.deepEqual((await engine.status()).servers.map(({ name }) => name), ["a", "c"]);
    assert.deepEqual(new Set(await answerers(setup.port, 6)), new Set(["a", "c"]));
  });

  it("can be restarted one after the other, drained before, without a failed POST", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.start([a!, b!]);

    const load = new Load({ port: setup.port, method: "POST" });
    await load.further(100);
    await engine.setServers([{ ...a!, draining: true }, b!]);
    await untilServer(engine, "a", ({ sessionsCurrent }) => sessionsCurrent === 0);
    await a!.kill("SIGTERM");
    await setup.backend("a", a!.port);
    await untilServer(engine, "a", ({ state }) => state === "draining");
    await engine.setServers([a!, b!]);
    await load.further(100);
    const { failures } = await load.stop();

    assert.deepEqual(failures, []);
    assert.deepEqual(new Set(await answerers(setup.port, 4)), new Set(["a", "b"]));
  });

  it("move to another address without a reload", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.start([a!]);
    const pid = await setup.haproxyPid();
    assert.deepEqual(await answerers(setup.port, 2), ["a", "a"]);

    await engine.setServers([{ ...b!, name: "a" }]);

    assert.deepEqual(await answerers(setup.port, 4), ["b", "b", "b", "b"]);
    assert.equal(await setup.haproxyPid(), pid);
    assert.equal((await engine.status()).servers[0]?.address, `127.0.0.1:${b!.port}`);
  });

  it("leave while they work, and come back under the same name, many times", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.start([a!]);
    const pid = await setup.haproxyPid();

    const slow = request(setup.port, { path: "/?ms=400" });
    await untilServer(engine, "a", ({ sessionsCurrent }) => sessionsCurrent === 1);
    for (let round = 0; round < 10; round++) {
      await engine.setServers([b!]);
      assert.deepEqual(await answerers(setup.port, 2), ["b", "b"]);
      await engine.setServers([a!]);
      assert.deepEqual(await answerers(setup.port, 2), ["a", "a"]);
    }

    assert.equal((await slow).status, 200);
    assert.equal(await setup.haproxyPid(), pid);
  });

  it("change by a reload when HAProxy does not carry out a command", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.start([a!]);
    const pid = await setup.haproxyPid();
    // Somebody else was at the control socket: now HAProxy has the name already.
    const socket = join(setup.paths.run, "haproxy.sock");
    assert.match(await sendCommand(socket, "add server servers/b 127.0.0.1:1"), /registered/);

    await engine.setServers([a!, b!]);

    assert.notEqual(await setup.haproxyPid(), pid);
    assert.deepEqual(new Set(await answerers(setup.port, 4)), new Set(["a", "b"]));
  });

  it("are the same after a restart, with those that drain", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.start([]);
    await engine.setServers([a!, { ...b!, draining: true }]);
    await engine.configuration.apply({ config: changed(setup.config, 5) });
    await untilServer(engine, "a", ({ state }) => state === "up");

    assert.deepEqual(await answerers(setup.port, 3), ["a", "a", "a"]);
    await engine.setServers([a!, b!]);
    assert.deepEqual(new Set(await answerers(setup.port, 4)), new Set(["a", "b"]));
  });

  it("are refused when their host does not resolve, which changes nothing", async () => {
    await using setup = await HaproxySetup.open();
    const [a] = await setup.backends("a");
    const engine = await setup.start([a!]);

    const lost = { ...a!, name: "lost", host: "no-such-host.invalid" };
    await assert.rejects(
      engine.setServers([a!, lost]),
      (error: unknown) =>
        isPlatformError(error, "BALANCER_UNKNOWN_HOST") && error.message.includes(lost.host),
    );

    assert.deepEqual((await engine.status()).servers.map(({ name }) => name), ["a"]);
    assert.deepEqual(await answerers(setup.port, 2), ["a", "a"]);
  });

  it("that no longer resolve at the start are left out and shown as down", async () => {
    await using setup = await HaproxySetup.open();
    const [a] = await setup.backends("a");
    const engine = await setup.createEngine();

    await engine.start([a!, { ...a!, name: "lost", host: "no-such-host.invalid" }]);

    const lost = await untilServer(engine, "lost", ({ state }) => state === "down");
    assert.equal(lost.reason, '"no-such-host.invalid" does not resolve');
    assert.deepEqual(await answerers(setup.port, 2), ["a", "a"]);
  });
});
