import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  openEmbeddedServer,
} from "../../../src/kvdb/embedded/server.ts";
import { poll } from "../../../src/lib/wait.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { type RedisPeer, startRedis } from "../../peers/redis.ts";
import { RawClient, renderRequest } from "./raw-client.ts";

/** Bytes that are no requests, and what both servers say before they hang up. */
const hostile: Readonly<Record<string, string>> = {
  "a count that is no number": "*abc\r\n",
  "a count that is too large": "*9999999999\r\n",
  "a length that is no number": "*1\r\n$abc\r\n",
  "a negative length": "*1\r\n$-5\r\n",
  "a length that is too large": "*1\r\n$9999999999\r\n",
  "a length with no digits": "*1\r\n$\r\n",
  "an argument without a length": "*1\r\nPING\r\n",
  "a count line without an end": "*" + "1".repeat(70_000),
  "a length line without an end": "*1\r\n$" + "1".repeat(70_000),
  "an inline request without an end": "a".repeat(70_000),
  "a quote that is not closed": 'SET a "b\r\n',
  "a quote that is closed in a word": 'SET a "b"c\r\n',
  "HTTP": "POST / HTTP/1.1\r\nHost: example.com\r\n\r\n",
};

/** Bytes that are requests in an unusual form. */
const unusual: Readonly<Record<string, readonly [bytes: string, replies: number]>> = {
  "inline requests": [
    "PING\r\nping\nECHO \"a\\x41\\n\" \r\n\r\n  SET  k  'it\\'s' \r\nGET k\r\n",
    5,
  ],
  "empty requests between others": ["*0\r\n*-1\r\n\r\nPING\r\n", 1],
  "several requests at once": [renderRequest(["PING"]).repeat(50), 50],
  "an empty argument": [renderRequest(["ECHO", ""]), 1],
  "an empty name": [renderRequest([""]), 1],
  "bytes of every value": [
    renderRequest(["ECHO", Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join("")]),
    1,
  ],
};

describe("embedded KVDB speaks the protocol as Redis does", () => {
  let redis: RedisPeer;
  let embedded: EmbeddedServer;
  before(async () => {
    redis = await startRedis();
    embedded = await open();
  });
  after(async () => {
    await embedded.close();
    await redis.stop();
  });

  for (const [what, bytes] of Object.entries(hostile)) {
    it(`ending the connection on ${what}`, async () => {
      assert.equal(await lastWords(embedded.port, bytes), await lastWords(redis.port, bytes));
    });
  }

  for (const [what, [bytes, count]] of Object.entries(unusual)) {
    it(`answering ${what}`, async () => {
      assert.deepEqual(
        await answers(embedded.port, bytes, count),
        await answers(redis.port, bytes, count),
      );
    });
  }

  it("answering requests that come byte by byte", async () => {
    const client = await RawClient.connect(embedded.port);
    for (const byte of renderRequest(["ECHO", "a\r\nb"]) + "PING\r\n") client.write(byte);

    assert.deepEqual([await client.reply(), await client.reply()], [
      "$4\r\na\r\nb\r\n",
      "+PONG\r\n",
    ]);
    client.close();
  });

  it("saying of its commands what Redis says", async () => {
    const ours = await RawClient.connect(embedded.port);
    const theirs = await RawClient.connect(redis.port);
    const names = (await ours.request("COMMAND", "LIST")).match(/^[a-z:|-]+\r$/gm)!
      .map((line) => line.trim())
      .filter((name) => !["post", "host:"].includes(name));
    assert.ok(names.length > 150);

    for (const name of names) {
      const wanted = firstSix(await theirs.request("COMMAND", "INFO", name));
      const found = firstSix(await ours.request("COMMAND", "INFO", name));
      assert.deepEqual(found, wanted, name);
    }
    ours.close();
    theirs.close();
  });
});

describe("embedded KVDB", () => {
  it("lets nobody in without the password, and lets strangers send little", async () => {
    const redis = await startRedis({ password: "secret" });
    const embedded = await open({ password: "secret" });
    try {
      for (const bytes of ["*11\r\n", "*1\r\n$16385\r\n"]) {
        assert.equal(await lastWords(embedded.port, bytes), await lastWords(redis.port, bytes));
      }
      const requests = [
        ...["GET a", "NONSENSE", "PING", "HELLO 3", "AUTH wrong", "AUTH nobody secret"],
        ...["HELLO 3 AUTH default wrong", "MULTI", "AUTH secret", "GET a", "RESET", "GET a"],
        ...["AUTH default secret", "PING"],
      ].join("\r\n") + "\r\n";
      assert.deepEqual(
        await answers(embedded.port, requests, 14),
        await answers(redis.port, requests, 14),
      );
      const large = renderRequest(["SET", "a", "x".repeat(100_000)]);
      const entry = "AUTH secret\r\n" + large;
      assert.deepEqual(await answers(embedded.port, entry, 2), ["+OK\r\n", "+OK\r\n"]);
    } finally {
      await embedded.close();
      await redis.stop();
    }
  });

  it("turns clients away beyond its limit, in Redis's words", async () => {
    const embedded = await open({ maxClients: 1 });
    try {
      const first = await RawClient.connect(embedded.port);
      await first.request("PING");

      const second = await RawClient.connect(embedded.port);
      assert.equal(await second.rest(), "-ERR max number of clients reached\r\n");

      first.close();
      const admitted = await poll(async () => {
        const third = await RawClient.connect(embedded.port);
        const reply = await third.request("PING").catch(() => "");
        third.close();
        return reply === "+PONG\r\n" ? true : undefined;
      }, { timeoutMs: 5_000 });
      assert.ok(admitted);
    } finally {
      await embedded.close();
    }
  });

  it("refuses arguments beyond its limit", async () => {
    const embedded = await open({ bulkBytesMax: 1_000 });
    try {
      const words = await lastWords(embedded.port, "*2\r\n$4\r\nECHO\r\n$1001\r\n");
      assert.equal(words, "-ERR Protocol error: invalid bulk length\r\n");

      const client = await RawClient.connect(embedded.port);
      await client.request("SET", "a", "x".repeat(1_000));
      assert.match(await client.request("APPEND", "a", "x"), /^-ERR string exceeds maximum/);
      assert.match(await client.request("SETRANGE", "b", "1000", "x"), /^-ERR string exceeds/);
      client.close();
    } finally {
      await embedded.close();
    }
  });

  it("does not read on from a client that does not read", async () => {
    const embedded = await open();
    try {
      const greedy = await RawClient.connect(embedded.port);
      await greedy.request("SET", "large", "x".repeat(1_000_000));
      const before = process.memoryUsage().rss;
      greedy.pause();
      // Two gigabytes of answers, were they all made at once.
      greedy.write(renderRequest(["GET", "large"]).repeat(2_000));

      const other = await RawClient.connect(embedded.port);
      for (let i = 0; i < 100; i++) assert.equal(await other.request("PING"), "+PONG\r\n");
      assert.ok(process.memoryUsage().rss - before < 300_000_000);

      greedy.resume();
      for (let i = 0; i < 20; i++) assert.equal((await greedy.reply()).length, 1_000_012);
      greedy.close();
      other.close();
    } finally {
      await embedded.close();
    }
  });

  it("drops a subscriber that does not read", async () => {
    const embedded = await open();
    try {
      const slow = await RawClient.connect(embedded.port);
      await slow.request("SUBSCRIBE", "news");
      slow.pause();
      const publisher = await RawClient.connect(embedded.port);
      const message = "x".repeat(1_000_000);

      const dropped = await poll(async () => {
        return await publisher.request("PUBLISH", "news", message) === ":0\r\n" ? true : undefined;
      }, { timeoutMs: 20_000, intervalMs: 0 });

      assert.ok(dropped);
      publisher.close();
      slow.close();
    } finally {
      await embedded.close();
    }
  });

  it("closes the connection that CLIENT KILL names", async () => {
    const embedded = await open();
    try {
      const [victim, killer] = [
        await RawClient.connect(embedded.port),
        await RawClient.connect(embedded.port),
      ];
      const id = (await victim.request("CLIENT", "ID")).slice(1).trim();
      const list = await killer.request("CLIENT", "LIST");
      assert.match(list, new RegExp(`id=${id} addr=127\\.0\\.0\\.1:\\d+ `));

      assert.equal(await killer.request("CLIENT", "KILL", "ID", id), ":1\r\n");

      assert.equal(await victim.rest(), "");
      assert.equal(await killer.request("PING"), "+PONG\r\n");
      killer.close();
    } finally {
      await embedded.close();
    }
  });
});

function open(options: Partial<EmbeddedServerOptions> = {}): Promise<EmbeddedServer> {
  return openEmbeddedServer({ host: "127.0.0.1", port: 0, logger: silentLogger, ...options });
}

async function lastWords(port: number, bytes: string): Promise<string> {
  const client = await RawClient.connect(port);
  client.write(bytes);
  return await client.rest();
}

async function answers(port: number, bytes: string, count: number): Promise<string[]> {
  const client = await RawClient.connect(port);
  client.write(bytes);
  const replies: string[] = [];
  for (let i = 0; i < count; i++) replies.push(await client.reply());
  client.close();
  // Connections are numbered from the start of a server.
  return replies.map((reply) => reply.replace(/(\$2\r\nid\r\n:)\d+/, "$1N"));
}

/** Name, arity, flags and key positions; newer facts follow that we do not tell. */
function firstSix(reply: string): readonly string[] {
  const lines = reply.split("\r\n");
  const flagCount = Number(lines[5]!.slice(1));
  return [
    ...lines.slice(3, 5),
    ...lines.slice(6, 6 + flagCount).sort(),
    ...lines.slice(6 + flagCount, 9 + flagCount),
  ];
}
