import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Code } from "../../../src/errors/codes.ts";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { isPortFree } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { BalancedServerState } from "../../../src/load-balancer/api.ts";
import type { AgentClient } from "../../../src/load-balancer/client.ts";
import { AgentSetup } from "./agent-setup.ts";
import { request } from "./haproxy-client.ts";

/** Matches an error by code and, when given, status. */
function withCode(code: Code, status?: number): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isPlatformError(error), String(error));
    assert.equal(error.code, code, error.message);
    if (status !== undefined) assert.equal(error.status, status);
    return true;
  };
}

async function untilState(client: AgentClient, name: string, state: BalancedServerState) {
  const found = await poll(async () => {
    const { servers } = await client.status();
    return servers.find((server) => server.name === name && server.state === state);
  }, { timeoutMs: 10_000 });
  assert.ok(found, `${name} does not become ${state}`);
}

async function answerers(port: number, count: number): Promise<ReadonlySet<string>> {
  const servers = new Set<string>();
  for (let n = 0; n < count; n++) {
    const { body } = await request(port);
    servers.add(JSON.parse(body).server);
  }
  return servers;
}

for (const engine of ["haproxy", "embedded"] as const) {
  describe(`a load balancer with the ${engine} engine`, () => {
    it("serves the servers that register, drain, return and leave, and remembers them", async () => {
      await using setup = await AgentSetup.open(engine);
      const [a, b] = [await setup.backend("a"), await setup.backend("b")];
      await setup.start();
      const operator = await setup.client("operator", "ana");
      const self = await setup.client("server", "a");
      assert.equal((await request(setup.port)).status, 503);

      await self.register("a", { host: a.host, port: a.port });
      await self.register("a", { host: a.host, port: a.port });
      await operator.register("b", { host: b.host, port: b.port });
      await untilState(operator, "a", "up");
      await untilState(operator, "b", "up");
      assert.deepEqual(await answerers(setup.port, 40), new Set(["a", "b"]));

      await self.drain("a");
      await untilState(operator, "a", "draining");
      assert.deepEqual(await answerers(setup.port, 4), new Set(["b"]));
      await self.ready("a");
      assert.deepEqual(await answerers(setup.port, 40), new Set(["a", "b"]));
      await self.drain("a");

      await setup.stop();
      assert.ok(await isPortFree(setup.port), "the port is still taken after stop");
      await setup.start();
      await untilState(operator, "b", "up");
      await untilState(operator, "a", "draining");
      assert.deepEqual(await answerers(setup.port, 4), new Set(["b"]));

      await self.register("a", { host: a.host, port: a.port });
      assert.deepEqual(await answerers(setup.port, 40), new Set(["a", "b"]));
      await self.leave("a");
      await self.leave("a");
      assert.deepEqual(await answerers(setup.port, 4), new Set(["b"]));
      const status = await operator.status();
      assert.deepEqual(status.servers.map(({ name }) => name), ["b"]);
    });

    it("says what it is and how its servers are", async () => {
      await using setup = await AgentSetup.open(engine);
      const a = await setup.backend("a");
      await setup.start();
      const webAdmin = await setup.client("web-admin", "console");
      const operator = await setup.client("operator", "ana");
      await operator.register("a", { host: a.host, port: a.port });
      await untilState(webAdmin, "a", "up");
      await answerers(setup.port, 3);

      const status = await webAdmin.status();

      assert.equal(status.name, "balancer");
      assert.equal(status.cluster, "demo");
      assert.equal(status.engine, engine);
      assert.match(status.engineVersion, /^\d+\.\d+/);
      assert.equal(status.url, `http://127.0.0.1:${setup.port}`);
      assert.equal(status.agentUrl, `https://127.0.0.1:${setup.agentPort}`);
      assert.equal(status.pid, process.pid);
      assert.ok(status.requestsTotal >= 3);
      const [server] = status.servers;
      assert.equal(server?.address, `127.0.0.1:${a.port}`);
      assert.equal(server?.requestsTotal, 3);
      assert.ok(Date.parse(server!.since) <= Date.now());
      assert.notEqual(server?.reason, "");
    });
  });
}

describe("the agent", () => {
  it("answers a registration when HAProxy sends traffic to the server", async () => {
    await using setup = await AgentSetup.open("auto");
    const a = await setup.backend("a");
    await setup.start();
    const self = await setup.client("server", "a");

    for (let round = 0; round < 5; round++) {
      await self.register("a", { host: a.host, port: a.port });
      assert.equal((await request(setup.port)).status, 200);
      await self.leave("a");
      assert.equal((await request(setup.port)).status, 503);
    }
  });

  it("lets each role do what is its own, and nothing else", async () => {
    await using setup = await AgentSetup.open("haproxy");
    await setup.start();
    const server = await setup.client("server", "server1");
    const webAdmin = await setup.client("web-admin", "console");
    const address = { host: "127.0.0.1", port: 17010 };

    await server.register("server1", address);
    for (
      const attempt of [
        () => server.register("server2", address),
        () => server.leave("server2"),
        () => server.drain("server2"),
        () => server.ready("server2"),
      ]
    ) await assert.rejects(attempt, withCode("BALANCER_NOT_YOUR_NAME", 403));
    for (
      const attempt of [
        () => server.config(),
        () => server.check(),
        () => server.reload(),
        () => webAdmin.register("server1", address),
        () => webAdmin.reload(),
      ]
    ) {
      await assert.rejects(
        attempt,
        (error: unknown) => isPlatformError(error) && error.status === 403,
      );
    }
    await server.health();
    await webAdmin.health();

    assert.deepEqual((await webAdmin.status()).servers.map(({ name }) => name), ["server1"]);
  });

  it("does not listen to another cluster", async () => {
    await using setup = await AgentSetup.open("haproxy");
    await setup.start();
    const stranger = await setup.client("operator", "ana", { of: "other" });

    await assert.rejects(stranger.health(), (error: unknown) => isPlatformError(error));
  });

  it("lets nothing hostile reach the configuration", async () => {
    await using setup = await AgentSetup.open("haproxy");
    await setup.start();
    const operator = await setup.client("operator", "mallory");
    const before = (await operator.config()).text;

    for (const host of ["127.0.0.1\n  bind *:1", "a b", "$HOME", "0.0.0.0", ""]) {
      const registration = { host, port: 1 };
      await assert.rejects(
        operator.register("evil", registration),
        withCode("BALANCER_BAD_REGISTRATION", 400),
      );
    }
    for (const name of ["a\n  bind *:1", "a b", "..", "a;shutdown", "x".repeat(64)]) {
      await assert.rejects(operator.register(name, { host: "127.0.0.1", port: 1 }));
    }
    await assert.rejects(
      operator.register("lost", { host: "no-such-host.invalid", port: 1 }),
      withCode("BALANCER_UNKNOWN_HOST", 422),
    );
    await assert.rejects(operator.drain("evil"), withCode("BALANCER_NO_SUCH_SERVER", 404));

    assert.equal((await operator.config()).text, before);
    assert.equal((await request(setup.port)).status, 503);
  });

  it("checks and reloads config.yaml on request, and keeps what runs when it is wrong", async () => {
    await using setup = await AgentSetup.open("haproxy");
    await setup.start();
    const operator = await setup.client("operator", "ana");
    const file = join(setup.directory, "config.yaml");
    const yaml = await readFile(file, "utf8");
    const before = (await operator.config()).text;

    await writeFile(file, `${yaml}maxConnection: 5\n`);
    await assert.rejects(
      operator.check(),
      (error: unknown) =>
        isPlatformError(error, "CONFIG_INVALID") && error.message.includes('"maxConnections"'),
    );
    await writeFile(file, `${yaml}timeouts: { tunnelMs: 3000000000000 }\n`);
    await assert.rejects(operator.reload(), withCode("BALANCER_CONFIG_REFUSED", 400));
    await writeFile(file, yaml.replace("name: balancer", "name: other"));
    await assert.rejects(
      operator.reload(),
      (error: unknown) =>
        isPlatformError(error, "BALANCER_NEEDS_RESTART") && error.message.startsWith("name "),
    );
    assert.equal((await operator.config()).text, before);

    await writeFile(file, `${yaml}maxConnections: 123\n`);
    await operator.check();
    assert.equal((await operator.config()).text, before);
    await operator.reload();

    assert.match((await operator.config()).text, /maxconn 123\n/);
    assert.equal((await request(setup.port)).status, 503);
  });

  it("leaves nothing behind when it stops, nor when its port is taken", async () => {
    await using setup = await AgentSetup.open("haproxy");
    const squatter = createServer().listen(setup.agentPort, "127.0.0.1");
    await once(squatter, "listening");
    await assert.rejects(setup.start(), withCode("MTLS_CANNOT_LISTEN"));
    assert.ok(await isPortFree(setup.port));
    assert.deepEqual(await readdir(join(setup.directory, "run")), []);
    squatter.close();
    await once(squatter, "close");

    await setup.start();
    await assert.rejects(setup.start(), withCode("BALANCER_ALREADY_RUNNING"));
    assert.equal((await request(setup.port)).status, 503);

    await setup.stop();

    assert.deepEqual(await readdir(join(setup.directory, "run")), []);
    assert.ok(await isPortFree(setup.port));
    assert.ok(await isPortFree(setup.agentPort));
  });
});
