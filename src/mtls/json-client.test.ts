import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { z } from "zod";
import { past } from "../../test/integration/ca/issued-identities.ts";
import {
  assertFails,
  eventually,
  identity,
  type JsonPeers,
  startJsonPeers,
} from "../../test/integration/ca/json-peers.ts";
import { isPlatformError } from "../errors/platform-error.ts";
import { createJsonClient } from "./client.ts";
import type { ExpectedPeer } from "./peer.ts";

const expectServer = { cluster: "demo", role: "server" } as const;

describe("A JSON client", () => {
  let peers: JsonPeers;
  before(async () => peers = await startJsonPeers());
  after(() => peers.remove());

  describe("does not talk to", () => {
    it("a server of another authority", async () => {
      const stranger = await peers.start(await peers.other.issue(identity("server")));

      await assertFails(
        peers.clientOf(peers.operatorTls, stranger).get("/v1/who"),
        "MTLS_UNTRUSTED",
        /another authority/,
      );
    });

    it("a server whose certificate has expired", async () => {
      const expired = await peers.start(await peers.authority.issueFor(identity("server"), past));

      await assertFails(
        peers.clientOf(peers.operatorTls, expired).get("/v1/who"),
        "MTLS_UNTRUSTED",
        /has expired/,
      );
    });

    it("an operator who poses as a server", async () => {
      const poser = await peers.start(peers.operatorTls);

      await assertFails(
        peers.clientOf(peers.operatorTls, poser).get("/v1/who"),
        "MTLS_UNTRUSTED",
        /not for this use/,
      );
    });

    for (
      const [what, expect] of Object.entries(
        {
          "another cluster": { ...expectServer, cluster: "prod" },
          "another role": { cluster: "demo", role: "load-balancer" },
          "another name": { ...expectServer, name: "server2" },
        } satisfies Record<string, ExpectedPeer>,
      )
    ) {
      it(`a component of ${what}, whatever was called before`, async () => {
        await peers.operator.get("/v1/who");
        await peers.operator.post("/v1/fail/ours").catch(() => {});
        const client = peers.clientOf(peers.operatorTls, peers.server, expect);
        peers.seen.hits.length = 0;

        for (let n = 0; n < 2; n++) {
          const words = /it is the server "server1" of cluster "demo", wanted the/;
          await assertFails(client.get("/v1/who"), "MTLS_UNTRUSTED", words);
          await assertFails(client.post("/v1/fail/ours"), "MTLS_UNTRUSTED", words);
        }

        assert.deepEqual(peers.seen.hits, []);
      });
    }
  });

  describe("ends", () => {
    it("a call whose caller gives up, once, and leaves nothing behind", async () => {
      await peers.operator.get("/v1/who");
      peers.seen.hits.length = 0;
      const controller = new AbortController();
      const call = peers.operator.get("/v1/hang", { signal: controller.signal });
      await eventually("the call", () => peers.seen.hits[0]);
      const ended = once(peers.seen.hung!.signal, "abort");

      controller.abort(new Error("changed my mind"));

      await assert.rejects(call, /changed my mind/);
      await ended;
      await peers.operator.get("/v1/who");
      assert.deepEqual(peers.seen.hits, ["hang"]);
    });

    it("a call that takes too long", async () => {
      await assertFails(
        peers.operator.get("/v1/hang", { timeoutMs: 100 }),
        "MTLS_TIMEOUT",
        /did not answer GET \/v1\/hang within 100 ms/,
      );
    });
  });

  it("is found again by clients that kept connections, when it starts anew", async () => {
    const first = await peers.start(peers.serverTls);
    const client = peers.clientOf(peers.operatorTls, first);
    await Promise.all(Array.from({ length: 20 }, () => client.get("/v1/who")));

    await first.close();
    await peers.start(peers.serverTls, { port: first.port });

    for (let n = 0; n < 3; n++) assert.deepEqual(await client.get("/v1/who"), identity("operator"));
    await assertFails(client.post("/v1/fail/ours"), "CA_UNKNOWN_SERIAL", /issued no/);
  });

  it("lets a client close in the middle of a call, on a new and on a kept connection", async () => {
    for (const isKept of [false, true]) {
      const client = peers.clientOf(peers.operatorTls);
      if (isKept) await client.get("/v1/who");
      peers.seen.hung = undefined;
      const failed = assertFails(client.get("/v1/hang"), "MTLS_UNREACHABLE", /closed its client/);
      const { signal } = await eventually("the call", () => peers.seen.hung);

      client.close();

      await failed;
      if (!signal.aborted) await once(signal, "abort");
      await assertFails(client.get("/v1/who"), "MTLS_UNREACHABLE", /closed its client/);
    }
  });

  it("checks answers against a schema when the caller gives one", async () => {
    const schema = z.object({ role: z.literal("operator"), name: z.string() });

    assert.equal((await peers.operator.get("/v1/who", { schema })).name, "operator1");
    await assertFails(
      peers.operator.get("/v1/who", { schema: z.object({ role: z.literal("server") }) }),
      "MTLS_BAD_ANSWER",
      /role/,
    );
  });

  it("refuses addresses that are none, without repeating a password in them", () => {
    const { operatorTls: tls } = peers;
    for (const baseUrl of ["http://127.0.0.1:1", "server1:17110", "https://u:hunter2@h:1"]) {
      assert.throws(
        () => createJsonClient({ baseUrl, tls, expect: expectServer }),
        (error) =>
          isPlatformError(error, "MTLS_INVALID_ADDRESS") && !error.message.includes("hunter2"),
      );
    }
  });
});
