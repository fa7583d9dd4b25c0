import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type EmbeddedServer, openEmbeddedServer } from "../../../src/kvdb/embedded/server.ts";
import { PlatformError } from "../../../src/errors/platform-error.ts";
import { poll } from "../../../src/lib/wait.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { startRedis } from "../../peers/redis.ts";
import { startEmbedded } from "./embedded-process.ts";
import { RawClient, renderRequest } from "./raw-client.ts";

/** Makes one key of every type, with awkward bytes and expiries. */
const writes: readonly (readonly string[])[] = [
  ["SET", "text\r\n\xff\x00", "value\r\n\xfe\x00"],
  ["SET", "short", "v", "EX", "10000"],
  ["SET", "gone", "v", "PX", "1"],
  ["SET", "counter", "41"],
  ["INCR", "counter"],
  ["INCRBYFLOAT", "float", "0.1"],
  ["INCRBYFLOAT", "float", "0.2"],
  ["RPUSH", "list", ...Array.from({ length: 200 }, (_, i) => `item ${i}`)],
  ["LMOVE", "list", "moved", "LEFT", "RIGHT"],
  ["SADD", "set", "a", "b", "c", "\xff"],
  ["SPOP", "set"],
  ["HSET", "hash", "f", "1", "__proto__", "2"],
  ["HINCRBYFLOAT", "hash", "f", "0.5"],
  ["ZADD", "zset", "1.1", "a", "inf", "b", "-inf", "c", "1e300", "d"],
  ["ZADD", "zset", "GT", "CH", "2.2", "a"],
  ["EXPIRE", "hash", "5000"],
  ["SELECT", "7"],
  ["SET", "in seven", "1"],
  ["MULTI"],
  ["SET", "in transaction", "1"],
  ["INCR", "in transaction"],
  ["EXEC"],
  ["SELECT", "0"],
  ["DEL", "nothing"],
  ["RENAME", "short", "renamed"],
];

/** What shows whether all of that is there. */
const reads: readonly (readonly string[])[] = [
  ["GET", "text\r\n\xff\x00"],
  ["EXPIRETIME", "renamed"],
  ["EXISTS", "gone"],
  ["GET", "counter"],
  ["GET", "float"],
  ["LRANGE", "list", "0", "-1"],
  ["LRANGE", "moved", "0", "-1"],
  ["SMEMBERS", "set"],
  ["HGETALL", "hash"],
  ["EXPIRETIME", "hash"],
  ["ZRANGE", "zset", "0", "-1", "WITHSCORES"],
  ["SELECT", "7"],
  ["GET", "in seven"],
  ["GET", "in transaction"],
  ["SELECT", "0"],
];

describe("embedded KVDB keeps its data", () => {
  let directory: string;
  let dataFile: string;
  let log: string[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "kvdb-data-"));
    dataFile = join(directory, "appendonly.aof");
    log = [];
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const open = () => {
    const logger = createLogger({ write: (line) => log.push(line) });
    return openEmbeddedServer({ host: "127.0.0.1", port: 0, directory, logger });
  };

  it("through a restart, and a second one after the file was rewritten", async () => {
    const wanted = await withServer(open, async (client) => {
      await runAll(client, writes);
      return await runAll(client, reads);
    });

    for (const attempt of [1, 2]) {
      assert.deepEqual(
        await withServer(open, (client) => runAll(client, reads)),
        wanted,
        `${attempt}`,
      );
    }
  });

  it("in a form that redis-server reads", async () => {
    const wanted = await withServer(open, async (client) => {
      await runAll(client, writes);
      return await runAll(client, reads);
    });

    const text = await readFile(dataFile);
    const redis = await startRedis();
    try {
      const client = await RawClient.connect(redis.port);
      client.write(text.toString("latin1"));
      const requests = text.toString("latin1").match(/^\*\d+\r$/gm)!.length;
      for (let i = 0; i < requests; i++) assert.doesNotMatch(await client.reply(), /^-/);
      assert.deepEqual(sorted(await runAll(client, reads)), sorted(wanted));
      client.close();
    } finally {
      await redis.stop();
    }
  });

  it("in a file that nobody else may read", async () => {
    await withServer(open, (client) => client.request("SET", "a", "1"));

    assert.equal((await stat(dataFile)).mode & 0o777, 0o600);
  });

  it("and drops what a crash cut off at the end, saying so", async () => {
    await withServer(open, (client) => client.request("SET", "a", "1"));
    await appendFile(dataFile, renderRequest(["SET", "b", "2"]).slice(0, -4));

    const replies = await withServer(open, (client) => {
      return runAll(client, [["GET", "a"], ["EXISTS", "b"]]);
    });

    assert.deepEqual(replies, ["$1\r\n1\r\n", ":0\r\n"]);
    assert.ok(log.some((line) => line.includes("cut off by a crash")));
  });

  it("and drops a transaction of which the end is missing, whole", async () => {
    await withServer(open, (client) => client.request("SET", "a", "1"));
    const torn = [["MULTI"], ["SET", "a", "2"], ["SET", "b", "2"]].map(renderRequest).join("");
    await appendFile(dataFile, torn);

    const replies = await withServer(open, (client) => {
      return runAll(client, [["GET", "a"], ["EXISTS", "b"]]);
    });

    assert.deepEqual(replies, ["$1\r\n1\r\n", ":0\r\n"]);
  });

  it("and drops zeros that a crash of the machine left at the end", async () => {
    await withServer(open, (client) => client.request("SET", "a", "1"));
    await appendFile(dataFile, Buffer.alloc(5000));

    assert.equal(await withServer(open, (client) => client.request("GET", "a")), "$1\r\n1\r\n");
  });

  const damages: Readonly<Record<string, (text: string) => string>> = {
    "a wrong length": (text) => text.replace("$6\r\nsecond", "$9\r\nsecond"),
    "a length that reaches beyond the end": (text) => {
      return text.replace("$6\r\nsecond", "$600000\r\nsecond");
    },
    "an unknown command": (text) => text.replace("SET\r\n$6\r\nsecond", "ZZZ\r\n$6\r\nsecond"),
    "zeros in the middle": (text) => text.replace("*3\r\n$3\r\nSET\r\n$6", "\0".repeat(16)),
    "a request that fails": (text) => {
      return text.replace("SET\r\n$6\r\nsecond", "LPUSHX\r\n$6\r\nsecond").replace(
        "$3\r\nLPUSHX",
        "$6\r\nLPUSHX",
      )
        .replace("$5\r\nfirst", "$6\r\nsecond");
    },
  };
  for (const [damage, inflict] of Object.entries(damages)) {
    it(`and refuses to start, naming the place, after ${damage}`, async () => {
      const whole = [["SET", "first", "1"], ["SET", "second", "2"], ["SET", "third", "3"]]
        .map(renderRequest).join("");
      const damaged = inflict(whole);
      assert.notEqual(damaged, whole);
      await writeFile(dataFile, Buffer.from(damaged, "latin1"));

      await assert.rejects(open(), (error) => {
        assert.ok(error instanceof PlatformError && error.code === "KVDB_DATA_CORRUPT", `${error}`);
        assert.match(error.message, /appendonly\.aof" is corrupt at byte \d+/);
        return true;
      });
      assert.equal(await readFile(dataFile, "latin1"), damaged);
    });
  }

  it("and lets only one process at a time write them", async () => {
    const server = await open();
    try {
      await assert.rejects(open(), (error) => {
        return error instanceof PlatformError && error.code === "KVDB_DATA_LOCKED";
      });
    } finally {
      await server.close();
    }
    await withServer(open, (client) => client.request("PING"));
  });

  it("in a file that does not grow with every change for ever", async () => {
    const server = await openEmbeddedServer({
      host: "127.0.0.1",
      port: 0,
      directory,
      logger: createLogger({ write: (line) => log.push(line) }),
    });
    try {
      const client = await RawClient.connect(server.port);
      await client.request("SET", "big", "x".repeat(100_000));
      for (let i = 0; i < 20; i++) await client.request("SET", "big", "y".repeat(100_000));
      assert.ok((await stat(dataFile)).size > 2_000_000);
      assert.equal(
        await client.request("BGREWRITEAOF"),
        "+Background append only file rewriting started\r\n",
      );
      await client.request("SET", "after", "1");
      client.close();
    } finally {
      await server.close();
    }
    assert.ok((await stat(dataFile)).size < 110_000);
    assert.equal(await withServer(open, (client) => client.request("GET", "after")), "$1\r\n1\r\n");
  });

  it("and what expired is gone though nobody asked for it", async () => {
    await withServer(open, async (client) => {
      await runAll(client, [["SET", "a", "1", "PX", "20"], ["SET", "b", "1"]]);
      const size = await poll(async () => {
        return await client.request("DBSIZE") === ":1\r\n" ? true : undefined;
      }, { timeoutMs: 5_000 });
      assert.ok(size);
    });
    assert.match(await readFile(dataFile, "latin1"), /DEL\r\n\$1\r\na/);
  });
});

describe("embedded KVDB process", () => {
  it("loses nothing that was answered when it is killed", async () => {
    const peer = await startEmbedded();
    try {
      const client = await RawClient.connect(peer.port);
      let answered = 0;
      const killed = new Promise<void>((resolve) => {
        const step = async (): Promise<void> => {
          for (let i = 1;; i++) {
            await client.request("SET", "last", String(i));
            answered = i;
            if (i === 500) void peer.kill().then(resolve);
          }
        };
        step().catch(() => {}); // ends with the connection
      });
      await killed;
      await peer.restart();

      const again = await RawClient.connect(peer.port);
      const kept = Number((await again.request("GET", "last")).split("\r\n")[1]);
      again.close();
      // One more may have been written whose answer was lost.
      assert.ok(kept === answered || kept === answered + 1, `${kept} kept of ${answered}`);
    } finally {
      await peer.stop();
    }
  });

  it("refuses writes while the disk is full, answers reads, and goes on afterwards", async () => {
    // A limit on the size of files stands in for the disk: 64 blocks of 512 bytes.
    const peer = await startEmbedded({ wrapper: `trap '' XFSZ; ulimit -S -f 64; exec "$@"` });
    try {
      const client = await RawClient.connect(peer.port);
      await client.request("SET", "small", "1");
      await client.request("SET", "large", "x".repeat(60_000));

      assert.match(
        await client.request("SET", "b", "2"),
        /^-MISCONF Errors writing to the AOF file/,
      );
      assert.equal(await client.request("GET", "small"), "$1\r\n1\r\n");
      assert.equal(await client.request("PUBLISH", "c", "x"), ":0\r\n");

      execFileSync("prlimit", ["--pid", String(peer.pid), "--fsize=unlimited:unlimited"]);
      const written = await poll(async () => {
        return await client.request("SET", "b", "2") === "+OK\r\n" ? true : undefined;
      }, { timeoutMs: 10_000 });
      assert.ok(written);
      client.close();
      await peer.kill();
      await peer.restart();
      const again = await RawClient.connect(peer.port);
      assert.equal(await again.request("STRLEN", "large"), ":60000\r\n");
      assert.equal(await again.request("GET", "b"), "$1\r\n2\r\n");
      again.close();
    } finally {
      await peer.stop();
    }
  });
});

async function withServer<T>(
  open: () => Promise<EmbeddedServer>,
  use: (client: RawClient) => Promise<T>,
): Promise<T> {
  const server = await open();
  const client = await RawClient.connect(server.port);
  try {
    return await use(client);
  } finally {
    client.close();
    await server.close();
  }
}

async function runAll(
  client: RawClient,
  requests: readonly (readonly string[])[],
): Promise<string[]> {
  const replies: string[] = [];
  for (const request of requests) replies.push(await client.request(...request));
  return replies;
}

/** Sets come in any order. */
function sorted(replies: readonly string[]): readonly string[] {
  return replies.map((reply) => reply.split("\r\n").sort().join());
}
