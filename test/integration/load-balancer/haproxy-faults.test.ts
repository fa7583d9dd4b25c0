import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { isProcessAlive } from "../../../src/lib/processes.ts";
import { poll } from "../../../src/lib/wait.ts";
import { endLeftovers } from "../../../src/load-balancer/haproxy/process-record.ts";
import { readLedger } from "../../peers/http-backend.ts";
import { killableEngine, untilGone } from "./haproxy-agent-process.ts";
import { Load, request } from "./haproxy-client.ts";
import { HaproxySetup, untilServer } from "./haproxy-setup.ts";

/** Ids that more than one server, or one server twice, carried out. */
async function executedTwice(setup: HaproxySetup): Promise<readonly string[]> {
  return [...await readLedger(setup.ledger)].filter(([, count]) => count > 1).map(([id]) => id);
}

describe("HAProxy when a server is killed under load", () => {
  it("fails no GET", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.start([a!, b!]);

    const load = new Load({ port: setup.port });
    await load.further(200);
    await a!.kill();
    await untilServer(engine, "a", ({ state }) => state === "down");
    await setup.backend("a", a!.port);
    await untilServer(engine, "a", ({ state }) => state === "up");
    await load.further(200);
    await b!.kill();
    await load.further(200);
    const { ok, failures } = await load.stop();

    assert.deepEqual(failures, []);
    assert.ok(ok >= 600);
    const dead = await untilServer(engine, "b", ({ state }) => state === "down");
    assert.match(dead.reason, /Connection refused/);
    assert.ok(Date.parse(dead.since) <= Date.now());
  });

  it("carries out no POST twice", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b] = await setup.backends("a", "b");
    await setup.start([a!, b!]);

    const load = new Load({ port: setup.port, method: "POST", workMs: 10 });
    await load.further(100);
    await a!.kill();
    await load.further(300);
    const { ok, failures, ids } = await load.stop();

    assert.deepEqual(await executedTwice(setup), []);
    assert.ok(ok >= 350);
    // At most what the server held when it died: one request a connection, all of them accounted for.
    assert.ok(failures.length <= 8, failures.join("\n"));
    assert.equal(ok + failures.length, ids.length);
  });
});

describe("HAProxy when a server's health changes", () => {
  it("leaves out a server that hangs, until it goes on", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.start([a!, b!]);

    process.kill(a!.pid, "SIGSTOP");
    const down = await untilServer(engine, "a", ({ state }) => state === "down");

    assert.match(down.reason, /timeout/);
    for (let n = 0; n < 4; n++) {
      assert.equal(JSON.parse((await request(setup.port)).body).server, "b");
    }
    process.kill(a!.pid, "SIGCONT");
    await untilServer(engine, "a", ({ state }) => state === "up");
  });

  it("leaves out a server that says it is not ready, and says why", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.start([a!, b!]);

    a!.setHealthy(false);
    const down = await untilServer(engine, "a", ({ state }) => state === "down");

    assert.match(down.reason, /503/);
    for (let n = 0; n < 4; n++) {
      assert.equal(JSON.parse((await request(setup.port)).body).server, "b");
    }
    a!.setHealthy(true);
    await untilServer(engine, "a", ({ state }) => state === "up");
  });
});

describe("HAProxy itself", () => {
  it("is started again with all its servers when it is killed", async () => {
    await using setup = await HaproxySetup.open();
    const [a, b] = await setup.backends("a", "b");
    const engine = await setup.start([a!]);
    await engine.setServers([a!, b!]);
    const pid = await setup.haproxyPid();

    process.kill(pid, "SIGKILL");
    const answer = await poll(
      () => request(setup.port).catch(() => undefined), // refused until it is back
      { timeoutMs: 5_000, intervalMs: 10 },
    );

    assert.equal(answer?.status, 200);
    assert.notEqual(await setup.haproxyPid(), pid);
    const { servers } = await engine.status();
    assert.deepEqual(servers.map(({ name }) => name), ["a", "b"]);
  });

  it("is given up, with its last words, when it cannot be kept alive", async () => {
    await using setup = await HaproxySetup.open();
    const engine = await setup.start([]);
    const dead = engine.failed.catch((error: unknown) => error);

    let failure: unknown;
    void dead.then((error) => failure = error);
    while (failure === undefined) {
      const pid = await setup.haproxyPid().catch(() => undefined); // between two lives
      if (pid !== undefined) process.kill(pid, "SIGKILL");
      await poll(async () => await setup.haproxyPid().catch(() => 0) !== pid || undefined, {
        timeoutMs: 1_000,
        intervalMs: 10,
      });
    }

    assert.ok(isPlatformError(failure, "BALANCER_DIED"), String(failure));
    assert.match(failure.message, /SIGKILL/);
  });

  it("does not start on a port that another process has, and says so", async () => {
    await using setup = await HaproxySetup.open();
    await setup.start([]);
    await using second = await HaproxySetup.open({ http: setup.config.http });

    await assert.rejects(
      async () => (await second.createEngine()).start([]),
      (error: unknown) =>
        isPlatformError(error, "BALANCER_PORT_IN_USE") &&
        error.message.includes(`Port ${setup.port} of 127.0.0.1`),
    );
    assert.equal((await request(setup.port)).status, 503);
  });

  it("waits for requests in flight when it stops, but not for idle clients", async () => {
    await using setup = await HaproxySetup.open();
    const [a] = await setup.backends("a");
    const engine = await setup.start([a!]);
    const idle = await fetch(`http://127.0.0.1:${setup.port}/`);
    await idle.text();

    const slow = request(setup.port, { path: "/?ms=500" });
    await untilServer(engine, "a", ({ sessionsCurrent }) => sessionsCurrent === 1);
    await engine.stop({ drainMs: 60_000 });

    assert.equal((await slow).status, 200);
    await assert.rejects(request(setup.port));
  });
});

describe("HAProxy whose agent was killed", () => {
  it("goes on serving, and is taken over by the next agent without a failed request", async () => {
    await using setup = await HaproxySetup.open();
    const [a] = await setup.backends("a");
    const { agent, haproxy } = await killableEngine(setup, [a!]);

    const load = new Load({ port: setup.port, method: "POST" });
    await load.further(50);
    process.kill(agent, "SIGKILL");
    await untilGone(agent);
    await load.further(50);
    assert.equal(await setup.haproxyPid(), haproxy);
    await setup.start([a!]);
    await load.further(50);
    const { failures } = await load.stop();

    assert.deepEqual(failures, []);
    assert.ok(await untilGone(haproxy), "the old HAProxy is still there");
  });

  it("is ended when it does not answer any more", async () => {
    await using setup = await HaproxySetup.open();
    const { agent, haproxy } = await killableEngine(setup);
    process.kill(agent, "SIGKILL");
    process.kill(haproxy, "SIGSTOP");
    await untilGone(agent);

    await setup.start([]);

    assert.equal((await request(setup.port)).status, 503);
    assert.ok(await untilGone(haproxy), "the old HAProxy is still there");
  });

  it("can be ended without starting another", async () => {
    await using setup = await HaproxySetup.open();
    const { agent, haproxy } = await killableEngine(setup);
    process.kill(agent, "SIGKILL");
    await untilGone(agent);

    const ended = await endLeftovers(setup.directory);

    assert.deepEqual(ended, [haproxy]);
    assert.ok(await untilGone(haproxy));
    assert.deepEqual(await endLeftovers(setup.directory), []);
  });

  it("is left alone while its agent lives", async () => {
    await using setup = await HaproxySetup.open();
    const { agent, haproxy } = await killableEngine(setup);

    await assert.rejects(
      setup.start([]),
      (error: unknown) =>
        isPlatformError(error, "BALANCER_ALREADY_RUNNING") && error.message.includes(String(agent)),
    );
    await assert.rejects(endLeftovers(setup.directory));

    assert.ok(isProcessAlive(haproxy));
    process.kill(agent, "SIGKILL");
    await untilGone(agent);
    assert.deepEqual(await endLeftovers(setup.directory), [haproxy]);
  });
});
