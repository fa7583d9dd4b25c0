import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServerList } from "../../../src/admin-api/api.ts";
import { createAdminSource, type KnownServers } from "./admin-source.ts";
import {
  adminUrlOf,
  agentUrl,
  sampleBalanced,
  sampleBalancer,
  sampleRegistered,
  sampleStatus,
} from "./sample-readings.ts";

type Answers = Record<string, unknown>;

/** A source whose peers answer from a table: `URL path` -> body; what is not there refuses. */
function sourceOf(answers: Answers, known: KnownServers = new Map()) {
  const asked: string[] = [];
  const source = createAdminSource({
    adminUrls: [`${adminUrlOf("server1")}/`],
    agentUrl,
    known,
    connect: (baseUrl, role) => ({
      get: <T>(path: string) => {
        asked.push(`${role} ${baseUrl}${path}`);
        const answer = answers[`${baseUrl}${path}`];
        if (answer === undefined) return Promise.reject(new Error("refused"));
        return Promise.resolve(answer as T); // the test chose what belongs to the path
      },
      close() {},
    }),
  });
  return { source, asked };
}

const list: ServerList = {
  cluster: "demo",
  revision: 9,
  servers: [sampleRegistered("server1"), sampleRegistered("server2")],
};
const [url1, url2] = [adminUrlOf("server1"), adminUrlOf("server2")];

describe("createAdminSource", () => {
  it("learns servers from the one it knows and asks each of them itself", async () => {
    const { source, asked } = sourceOf({
      [`${url1}/v1/servers`]: list,
      [`${url1}/v1/status`]: sampleStatus("server1"),
      [`${url2}/v1/status`]: sampleStatus("server2"),
      [`${agentUrl}/v1/status`]: sampleBalancer([sampleBalanced("server1")]),
    });

    const readings = await source.look();

    assert.deepEqual(readings.servers.map(({ status }) => status?.name), ["server1", "server2"]);
    assert.equal(readings.revision, 9);
    assert.equal(readings.balancer?.status?.engine, "haproxy");
    assert.ok(asked.includes(`load-balancer ${agentUrl}/v1/status`));
  });

  it("keeps name and row of a server that has stopped answering", async () => {
    const answers: Answers = {
      [`${url1}/v1/servers`]: list,
      [`${url1}/v1/status`]: sampleStatus("server1"),
      [`${url2}/v1/status`]: sampleStatus("server2"),
    };
    const { source } = sourceOf(answers);
    await source.look();
    delete answers[`${url2}/v1/status`];

    const { servers, balancer } = await source.look();

    assert.equal(servers[1]?.name, "server2");
    assert.equal(servers[1]?.problem, "refused");
    assert.equal(servers[1]?.registered?.lastSeenAt, "2026-03-01T11:58:00.000Z");
    assert.equal(balancer?.problem, "refused");
  });

  it("asks another server for the list when the first one is gone", async () => {
    const answers: Answers = {
      [`${url1}/v1/servers`]: list,
      [`${url1}/v1/status`]: sampleStatus("server1"),
      [`${url2}/v1/status`]: sampleStatus("server2"),
      [`${url2}/v1/servers`]: { ...list, revision: 10 },
    };
    const { source } = sourceOf(answers);
    await source.look();
    delete answers[`${url1}/v1/servers`];
    delete answers[`${url1}/v1/status`];

    const { revision } = await source.look();

    assert.equal(revision, 10);
  });

  it("shows the address of a server whose name nobody has told yet", async () => {
    const { source } = sourceOf({});

    const { servers, revision } = await source.look();

    assert.deepEqual(servers.map(({ name }) => name), ["127.0.0.1:17111"]);
    assert.equal(revision, undefined);
  });

  it("knows the servers of an earlier source", async () => {
    const known: KnownServers = new Map();
    await sourceOf({ [`${url1}/v1/servers`]: list }, known).source.look();

    const { servers } = await sourceOf({}, known).source.look();

    assert.deepEqual(servers.map(({ name }) => name), ["server1", "server2"]);
  });

  it("shows a server once that is reached under two addresses", async () => {
    const other = "https://10.0.0.1:17111";
    const servers = [sampleRegistered("server1", { adminUrl: other })];
    const { source } = sourceOf({
      [`${url1}/v1/servers`]: { ...list, servers },
      [`${url1}/v1/status`]: sampleStatus("server1"),
    });

    const readings = await source.look();

    assert.deepEqual(readings.servers.map(({ name }) => name), ["server1"]);
    assert.notEqual(readings.servers[0]?.status, undefined);
  });
});
