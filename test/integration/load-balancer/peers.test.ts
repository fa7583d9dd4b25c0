import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runCaptured } from "../../../src/cli/captured-io.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { AgentClient } from "../../../src/load-balancer/client.ts";
import { AgentSetup, createEnvironment } from "./agent-setup.ts";
import { untilServer, withCode } from "./bench.ts";
import { request } from "./haproxy-client.ts";

interface Pair extends AsyncDisposable {
  readonly one: AgentSetup;
  readonly two: AgentSetup;
  /** Operators at each. */
  readonly first: AgentClient;
  readonly second: AgentClient;
}

/** Two balancers in front of one cluster, each other's peers. */
async function openPair(): Promise<Pair> {
  const one = await AgentSetup.open("haproxy", { name: "lb1" });
  const two = await AgentSetup.open("haproxy", { name: "lb2", beside: one });
  await one.configure(`peers: ["${two.agentUrl}"]`);
  await two.configure(`peers: ["${one.agentUrl}"]`);
  await one.start();
  await two.start();
  return {
    one,
    two,
    first: await one.client("operator", "ana"),
    second: await two.client("operator", "bob"),
    [Symbol.asyncDispose]: async () => {
      await two[Symbol.asyncDispose]();
      await one[Symbol.asyncDispose]();
    },
  };
}

async function untilInStep(client: AgentClient, revision: number): Promise<void> {
  const found = await poll(async () => {
    const { peers, ...status } = await client.status();
    const same = peers.every((peer) => peer.state === "in step" && peer.revision === revision);
    return same && status.revision === revision ? true : undefined;
  }, { timeoutMs: 20_000 });
  assert.ok(found, JSON.stringify(await client.status()));
}

describe("two balancers in front of one cluster", () => {
  it("have what was changed at either, at once", async () => {
    await using pair = await openPair();
    const { one, two, first, second } = pair;
    await untilInStep(first, 0);
    const a = await one.backend("a");
    const b = await one.backend("b");
    for (const { name, host, port } of [a, b]) {
      for (const setup of [one, two]) {
        await (await setup.client("server", name)).register(name, { host, port });
      }
    }

    const drained = await first.drain("a", { why: "new disk" });
    assert.deepEqual(drained, {
      revision: 1,
      changed: true,
      peers: [{ url: two.agentUrl, state: "in step", revision: 1, reason: "" }],
    });
    const there = (await second.status()).servers.find(({ name }) => name === "a");
    assert.equal(there?.wanted, "drain");
    for (let n = 0; n < 3; n++) {
      assert.equal(JSON.parse((await request(two.port)).body).server, "b");
    }

    await second.configuration.apply({ document: { algorithm: "leastconn" } });
    const { head, document } = await first.configuration.show();
    assert.deepEqual([head?.revision, head?.by, head?.origin], [2, "operator/bob", "lb2"]);
    assert.equal(document.algorithm, "leastconn");
    assert.deepEqual(await first.configuration.history(), await second.configuration.history());
  });

  it("get everything that they missed when they come back", async () => {
    await using pair = await openPair();
    const { two, first, second } = pair;
    await first.setAlgorithm("leastconn");
    await two.stop();

    const away = await first.setAlgorithm("hash:uri");
    assert.equal(away.peers[0]?.state, "unreachable");
    assert.notEqual(away.peers[0]?.reason, "");
    const lines = { frontend: ["http-response set-header X-Both yes"] };
    await first.configuration.apply({ document: { algorithm: "hash:uri", lines } });
    await two.start();

    await untilInStep(second, 3);
    await untilInStep(first, 3);
    assert.match((await second.config()).text, /X-Both yes/);
    assert.deepEqual((await second.configuration.history()).map(({ id }) => id), ["3", "2", "1"]);
  });

  it("agree on the later of two changes that were made while they could not talk", async () => {
    await using pair = await openPair();
    const { one, two, first, second } = pair;
    await first.setAlgorithm("leastconn");
    await two.stop();
    await first.setAlgorithm("hash:source");
    await one.stop();
    await two.start();
    await second.setAlgorithm("hash:uri");
    await one.start();

    await untilInStep(first, 2);
    await untilInStep(second, 2);
    for (const client of [first, second]) {
      assert.equal((await client.status()).algorithm, "hash:uri");
      const history = await client.configuration.history();
      assert.deepEqual(history.map(({ id }) => id), ["2", "2@lb1", "1"]);
    }
    await first.configuration.revert("2@lb1");
    assert.equal((await second.status()).algorithm, "hash:source");
  });

  it("say so when one cannot run what the other does, and go on", async () => {
    await using pair = await openPair();
    const { one, two, first, second } = pair;
    const port = await findFreePort();
    // Here both are on one machine, and only one of them gets the port.
    const lines = { frontend: [`bind 127.0.0.1:${port}`] };

    const { revision, peers: [peer] } = await first.configuration.apply({ document: { lines } });
    assert.equal(revision, 1);
    assert.equal(peer?.state, "behind");
    assert.match(peer.reason, new RegExp(`Port ${port} .* is taken`));
    assert.equal((await request(two.port)).status, 503);
    assert.equal((await second.status()).revision, 0);

    await assert.rejects(
      second.setAlgorithm("leastconn"),
      withCode("BALANCER_BEHIND", new RegExp(`Revision 1 of balancer lb1 .* here 0 .*${port}`)),
    );
    assert.match((await first.config()).text, new RegExp(`bind 127.0.0.1:${port}`));
    await first.configuration.apply({ document: { lines, retries: 1 } });
    await second.setAlgorithm("leastconn", { force: true });
    await untilInStep(first, 3);
    assert.doesNotMatch((await first.config()).text, new RegExp(`bind 127.0.0.1:${port}`));
    assert.equal((await request(one.port)).status, 503);
  });

  it("are both asked whether a server is drained, and both let go of it", async () => {
    await using pair = await openPair();
    const { one, two, first, second } = pair;
    const environment = await createEnvironment(one, [one.agentUrl, two.agentUrl]);
    const lb = (...words: string[]) =>
      runCaptured(["lb", ...words, "--env", environment], { cwd: one.root });
    const { host, port } = await one.backend("a");
    for (const [setup, client] of [[one, first], [two, second]] as const) {
      await (await setup.client("server", "a")).register("a", { host, port });
      await untilServer(client, "a", ({ state }) => state === "up");
    }
    const slow = request(two.port, { path: "/?ms=2500" });
    await untilServer(second, "a", ({ sessionsCurrent }) => sessionsCurrent === 1);

    const early = await lb("drain", "a", "--wait", "--timeout", "1");
    assert.equal(early.code, 1);
    assert.ok(early.stderr.includes(`${two.agentUrl} has 1 of its sessions`), early.stderr);
    assert.ok(!early.stderr.includes(one.agentUrl), early.stderr);
    assert.equal((await lb("drain", "a", "--wait")).code, 0);
    assert.equal((await slow).status, 200);

    const { code, stdout } = await lb("server", "remove", "a");
    assert.equal(code, 0);
    assert.equal(stdout, "a is out of the balancer (revision 2)\n");
    for (const client of [first, second]) assert.deepEqual((await client.status()).servers, []);
  });
});
