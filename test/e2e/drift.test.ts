import assert from "node:assert/strict";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { DriftReport, ServerList } from "../../src/admin-api/api.ts";
import { Client } from "pg";
import { poll } from "../../src/lib/wait.ts";
import { type FaultProxy, openFaultProxy } from "../../src/rehearsal/faults/tcp-proxy.ts";
import { runLoad } from "../../src/rehearsal/load/ledger.ts";
import type { DatabasePeer } from "../peers/database-process.ts";
import { startPostgresql } from "../peers/postgresql.ts";
import {
  dragoman,
  dragomanOk,
  freeOffset,
  type Quickstart,
  startQuickstart,
} from "./quickstart.ts";

let postgresql: DatabasePeer;
let cluster: Quickstart;
/** Between server2 and the ODB. */
let proxy: FaultProxy;
let odbUrl: string;

const directory = (name: string) => join(cluster.directory, name);

async function edit(name: string, change: (text: string) => string): Promise<string> {
  const path = directory(name);
  const text = await readFile(path, "utf8");
  await writeFile(path, change(text));
  return text;
}

async function channelFile(path: string): Promise<string> {
  const file = directory("orders.yaml");
  const spec = `{ path: ${path}, methods: [GET], service: demo.hello, security: none }`;
  await writeFile(
    file,
    `apiVersion: dragoman/v1\nkind: RestChannel\nname: orders\nspec: ${spec}\n`,
  );
  return file;
}

/** Changes a channel in the database as none of ours would. */
async function changePath(from: string, to: string): Promise<void> {
  const url = new URL(odbUrl);
  url.password = postgresql.password;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query(`update object set spec = replace(spec, '"${from}"', '"${to}"')`);
  await client.end();
}

/** Polls until the list of servers is as wanted. */
async function untilServers(isWanted: (list: ServerList) => boolean): Promise<ServerList> {
  const found = await poll(async () => {
    const list = await cluster.json<ServerList>("server", "list");
    return isWanted(list) ? list : undefined;
  }, { timeoutMs: 30_000, intervalMs: 200 });
  assert.ok(found, "the servers did not come to the wanted state");
  return found;
}

const stateOf = ({ servers }: ServerList, name: string) =>
  servers.find((server) => server.name === name)?.state;

before(async () => {
  postgresql = await startPostgresql();
  odbUrl = await postgresql.createDatabase("drift");
  cluster = await startQuickstart(["--odb", "postgresql", "--odb-url", odbUrl], {
    DRAGOMAN_ODB_PASSWORD: postgresql.password,
  });
  const { hostname: host, port } = new URL(odbUrl);
  proxy = await openFaultProxy({ host, port: Number(port) });
  await dragomanOk(["stop", directory("server2")]);
  await edit("server2/config.yaml", (text) => text.replace(`:${port}/`, `:${proxy.port}/`));
  await dragomanOk(["start", directory("server2")]);
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await proxy?.close();
  await postgresql?.stop();
});

describe("dragoman drift", () => {
  it("finds nothing where everything is as it should be", async () => {
    const applied = await cluster.run("apply", "-f", await channelFile("/orders"));
    assert.equal(applied.exitCode, 0, applied.stderr);

    const { exitCode, stdout, stderr } = await cluster.run("drift", directory("orders.yaml"));

    assert.equal(exitCode, 0, stdout + stderr);
    assert.match(stdout, /2 servers with 2 workers run what the ODB \(revision \d+, .*\) has/);
  });

  it("names an object that a file has otherwise", async () => {
    const { exitCode, stdout } = await cluster.run("drift", await channelFile("/elsewhere"));

    assert.equal(exitCode, 3);
    assert.match(stdout, /~ RestChannel orders[^]*path: "\/orders" -> "\/elsewhere"/);
  });

  it("names what was changed in the database behind everybody's back", async () => {
    await changePath("/orders", "/secret");
    try {
      const { exitCode, stdout } = await cluster.run("drift");

      assert.equal(exitCode, 3);
      assert.match(
        stdout,
        /RestChannel\/orders: server1 worker 1 runs revision 1 with the content \w{8}, ODB has rev/,
      );
      assert.match(stdout, /RestChannel\/orders: server2 worker 1 runs/);
    } finally {
      await changePath("/secret", "/orders");
    }
  });

  it("names a certificate that was replaced on disk and is not in use yet", async () => {
    const [cert, key] = ["server1/tls/cert.pem", "server1/tls/key.pem"];
    const old = [
      await edit(cert, () => ""),
      await edit(key, () => ""),
    ];
    try {
      await cp(directory("server2/tls/cert.pem"), directory(cert));
      await cp(directory("server2/tls/key.pem"), directory(key));
      const { exitCode, stdout } = await cluster.run("drift");

      assert.equal(exitCode, 3);
      assert.match(
        stdout,
        /Certificate\/admin: server1 shows \w{8}, valid until .*Z, its disk has \w{8}/,
      );
    } finally {
      await writeFile(directory(cert), old[0]!);
      await writeFile(directory(key), old[1]!);
    }
  });
});

describe("A server that is cut off from the ODB", () => {
  before(() => proxy.set({ frozen: "both" }));
  after(() => proxy.set({}));

  it("is shown with what it still runs, and keeps serving", async () => {
    const { stderr, exitCode } = await cluster.run("apply", "-f", await channelFile("/orders/v2"));
    assert.equal(exitCode, 0, stderr);
    const found = await poll(async () => {
      const { stdout } = await cluster.run("drift");
      return /cut off/.test(stdout) ? stdout : undefined;
    }, { timeoutMs: 30_000 });

    assert.match(found ?? "", /^server2 is cut off from the ODB since .*Z, at revision/m);
    assert.match(
      found ?? "",
      /RestChannel\/orders: server2 worker 1 runs revision 1, ODB has revision 2/,
    );
    const { url } = cluster.servers.find(({ name }) => name === "server2")!;
    assert.equal((await fetch(`${url}/orders`)).status, 200);
    const load = await runLoad({ url: `${cluster.balancerUrl}/demo/hello`, requests: 500 });
    assert.deepEqual(load.failed, []);
  });

  it("is lost for the others, and follows when it is back", async () => {
    await untilServers((list) => stateOf(list, "server2") === "lost");
    await proxy.set({});

    const { url } = cluster.servers.find(({ name }) => name === "server2")!;
    const followed = await poll(async () => {
      const response = await fetch(`${url}/orders/v2`);
      await response.body?.cancel();
      return response.status === 200 ? true : undefined;
    }, { timeoutMs: 20_000 });

    assert.equal(followed, true);
    await untilServers((list) => stateOf(list, "server2") === "up");
    const { exitCode, stdout } = await cluster.run("drift");
    assert.equal(exitCode, 0, stdout);
  });
});

describe("A server that has gone", () => {
  it("is down when it was stopped, which is no drift", async () => {
    await dragomanOk(["stop", directory("server2")]);

    const drift = await cluster.run("drift");
    const status = await cluster.run("status");

    assert.equal(drift.exitCode, 0, drift.stdout);
    assert.match(drift.stdout, /; stopped: server2/);
    assert.match(status.stdout, /server2 +down since/);
    await dragomanOk(["start", directory("server2")]);
  });

  it("is lost when it was killed, which is", async () => {
    const { pid } = (await cluster.components()).find(({ name }) => name === "server2")!;
    process.kill(pid!, "SIGKILL");

    await untilServers((list) => stateOf(list, "server2") === "lost");
    const { exitCode, stdout } = await cluster.run("drift", "-o", "json");
    const status = await cluster.run("status");

    assert.equal(exitCode, 3);
    const { differences }: DriftReport = JSON.parse(stdout);
    assert.equal(differences.length, 1);
    assert.match(differences[0]!.text, /^is lost, not heard of since/);
    assert.match(status.stdout, /server2 +lost, not heard of since/);
    await dragomanOk(["start", directory("server2")]);
  });
});

describe("A second server of the same name", () => {
  it("does not start while the first is alive", async () => {
    const copy = directory("copy");
    await cp(directory("server1"), copy, { recursive: true });
    await rm(join(copy, "run"), { recursive: true, force: true });
    const offset = await freeOffset();
    await edit(
      "copy/config.yaml",
      (text) =>
        text.replace(/port: (\d+)/g, (_, port) => `port: ${20_000 + offset + port % 1_000}`),
    );

    const { exitCode, stderr } = await dragoman(["start", copy]);

    assert.equal(exitCode, 1);
    assert.match(stderr, /has a server server1 already, which is alive at https:.* on /);
    const list = await cluster.json<ServerList>("server", "list");
    assert.equal(stateOf(list, "server1"), "up");
    assert.ok((await cluster.run("drift")).exitCode === 0);
  });
});
