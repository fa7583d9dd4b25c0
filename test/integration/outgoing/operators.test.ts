import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { LiveServer, ObjectView, PingAnswer } from "../../../src/admin-api/api.ts";
import { type Quickstart, startQuickstart } from "../../e2e/quickstart.ts";
import { type Peer, sendJson, startPeer } from "./http-peer.ts";

let cluster: Quickstart;
let peer: Peer;
let status = 200;

const service = `import { defineService } from "dragoman";
export const call = defineService({
  name: "crm.call",
  handle: async ({ out }) => (await out.rest("CRM").get("/customers")).data,
});
`;

async function apply(spec: Readonly<Record<string, unknown>>): Promise<void> {
  const file = join(cluster.directory, "crm.json");
  const document = { apiVersion: "dragoman/v1", kind: "RestOutgoing", name: "CRM", spec };
  await writeFile(file, JSON.stringify(document));
  const { exitCode, stderr } = await cluster.run("apply", "-f", file);
  assert.equal(exitCode, 0, stderr);
}

type Live = ObjectView & { readonly live: readonly LiveServer[] };

before(async () => {
  peer = await startPeer((_, response) => sendJson(response, [], status));
  cluster = await startQuickstart(["--workers", "2"]);
  await apply({
    address: peer.url,
    breaker: { callsMin: 1, openMs: 600_000 },
    retries: { attempts: 1 },
  });
  const file = join(cluster.directory, "crm.ts");
  await writeFile(file, service);
  const { exitCode, stderr } = await cluster.run("deploy", file);
  assert.equal(exitCode, 0, stderr);
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await peer?.[Symbol.asyncDispose]();
});

describe("An operator", () => {
  it("tests a connection, and is told what is wrong with it", async () => {
    const works = await cluster.run("ping", "RestOutgoing", "CRM");
    assert.equal(works.exitCode, 0, works.stderr);
    assert.match(works.stdout, /^RestOutgoing "CRM" works: HTTP 200 from http:\/\/127/);
    const answer = await cluster.json<PingAnswer>("ping", "RestOutgoing", "CRM");
    assert.deepEqual([answer.kind, answer.name], ["RestOutgoing", "CRM"]);
    assert.ok(answer.durationMs > 0);

    status = 503;
    for (
      const [args, words] of [
        [["RestOutgoing", "CRM"], /answered 503 to HEAD/],
        [["RestOutgoing", "CRN"], /There is no RestOutgoing "CRN", did you mean "CRM"\?/],
        [["RestChannel", "demo.hello"], /A RestChannel cannot be tested/],
      ] as const
    ) {
      const { exitCode, stdout, stderr } = await cluster.run("ping", ...args);
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, words);
      assert.equal(stdout, "");
    }
  });

  it("sees what every worker of every server knows of it", async () => {
    status = 503;
    const { exitCode } = await cluster.run("service", "invoke", "crm.call");
    assert.equal(exitCode, 1);

    const { live, spec } = await cluster.json<Live>("get", "RestOutgoing", "CRM");

    assert.equal(spec["address"], peer.url);
    assert.deepEqual(
      live.map(({ server, workers }) => [server, workers.map(({ id }) => id)]),
      cluster.servers.map(({ name }) => [name, [1, 2]]),
    );
    const workers = live.flatMap((server) => server.workers);
    assert.deepEqual(workers.map(({ state }) => state).sort(), ["open", "ready", "ready", "ready"]);
    const open = workers.find(({ state }) => state === "open")!;
    assert.deepEqual([open.figures["calls"], open.figures["failures"]], [1, 1]);
    assert.match(String(open.lastError), /^HTTP 503 from http:\/\/127/);
    const { stdout } = await cluster.run("get", "RestOutgoing", "CRM");
    assert.match(stdout, /SERVER +WORKER +STATE +CALLS/);
    assert.match(stdout, /\d +open +1 +1 +0 +HTTP 503 from/);
  });

  it("sees which server does not answer", async () => {
    const [first, second] = cluster.servers;
    const stopped = (await cluster.components()).find(({ name }) => name === second!.name)!;
    process.kill(stopped.pid!, "SIGSTOP");
    try {
      const { live } = await cluster.json<Live>("get", "RestOutgoing", "CRM");

      assert.deepEqual(live.map(({ server }) => server), [first!.name, second!.name]);
      assert.equal(live[0]!.workers.length, 2);
      assert.deepEqual(live[1]!.workers, []);
      assert.ok(live[1]!.reason);
    } finally {
      process.kill(stopped.pid!, "SIGCONT");
    }
  });

  it("sees nothing of the kind of what is no connection", async () => {
    const view = await cluster.json<Record<string, unknown>>("get", "RestChannel", "demo.hello");
    assert.ok(!("live" in view));
  });
});
