import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { Redis } from "ioredis";
import { type EmbeddedServer, openEmbeddedServer } from "../../../src/kvdb/embedded/server.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { redisProgram } from "../../peers/redis.ts";

describe("embedded KVDB with redis-cli", () => {
  let server: EmbeddedServer;
  before(async () => {
    server = await open("se cret");
  });
  after(() => server.close());

  const cli = (lines: readonly string[], password = "se cret", ...options: string[]) => {
    const args = ["-p", String(server.port), ...options];
    const env = { ...process.env, REDISCLI_AUTH: password };
    return run(redisProgram("redis-cli"), args, { input: lines.join("\n") + "\n", env });
  };

  it("runs what a person types", async () => {
    const { output, errors } = await cli([
      'set greeting "h\\xc3\\xa9llo"',
      "get greeting",
      "hset h a 1 b 2",
      "hgetall h",
      "zadd z 1.5 a",
      "zrange z 0 -1 withscores",
      "nonsense",
    ]);

    assert.equal(errors, "");
    assert.deepEqual(
      output.trim().split("\n"),
      [
        "OK",
        "héllo",
        "2",
        ...["a", "1", "b", "2"],
        "1",
        ...["a", "1.5"],
        "ERR unknown command 'nonsense', with args beginning with:",
      ],
    );
  });

  it("speaks RESP3 with it", async () => {
    const { output } = await cli(["hset r a 1", "hgetall r"], "se cret", "-3", "--no-raw");

    assert.match(output, /1# "a" => "1"/);
  });

  it("turns a wrong password away", async () => {
    const { output, errors } = await cli(["get a"], "wrong");

    assert.match(errors, /WRONGPASS/);
    assert.match(output, /NOAUTH Authentication required/);
  });

  it("tells about its keys", async () => {
    await cli(["set big " + "x".repeat(1000)]);

    const { output } = await cli([], "se cret", "--bigkeys");

    assert.match(output, /Biggest string found .*big.* has 1000 bytes/);
  });

  it("ends on SHUTDOWN, and says so to its owner", async () => {
    const other = await open();
    await run(redisProgram("redis-cli"), ["-p", String(other.port), "shutdown"]);

    await assert.rejects(other.failed, /SHUTDOWN was requested/);
    await other.close();
  });
});

describe("embedded KVDB with redis-benchmark", () => {
  let server: EmbeddedServer;
  before(async () => {
    server = await open();
  });
  after(() => server.close());

  const tests = "ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange,mset";
  for (const options of [["-P", "1"], ["-P", "16"], ["-r", "1000", "-d", "1000"], ["-3"]]) {
    it(`runs it to the end with ${options.join(" ")}`, async () => {
      const args = ["-p", String(server.port), "-t", tests, "-n", "500", "-c", "20", "--csv"];
      const { output, errors } = await run(redisProgram("redis-benchmark"), [...args, ...options]);

      assert.doesNotMatch(output + errors, /err|warn/i);
      // A heading, then a line a test: ping and lrange stand for several.
      assert.equal(output.trim().split("\n").length, 1 + 14 + 6);
    });
  }
});

for (const protocol of [2, 3] as const) {
  describe(`embedded KVDB with ioredis, RESP${protocol}`, () => {
    let server: EmbeddedServer;
    const clients: Redis[] = [];
    const connect = ({ db = 0 } = {}) => {
      const client = new Redis({ host: "127.0.0.1", port: server.port, protocol, db });
      clients.push(client);
      return client;
    };
    before(async () => {
      server = await open();
    });
    after(async () => {
      for (const client of clients) client.disconnect();
      await server.close();
    });

    it("keeps strings, hashes, lists, sets and sorted sets", async () => {
      const redis = connect();
      await redis.set("s", "grüße");
      await redis.hset("h", { a: "1", __proto__x: "2" });
      await redis.rpush("l", "a", "b");
      await redis.sadd("t", "x");
      await redis.zadd("z", 1.5, "a", 2, "b");

      assert.equal(await redis.get("s"), "grüße");
      assert.deepEqual(await redis.hgetall("h"), { a: "1", __proto__x: "2" });
      assert.deepEqual(await redis.lrange("l", 0, -1), ["a", "b"]);
      assert.deepEqual(await redis.smembers("t"), ["x"]);
      assert.deepEqual(await redis.zrange("z", "0", "-1", "WITHSCORES"), ["a", "1.5", "b", "2"]);
    });

    it("keeps bytes as they are", async () => {
      const redis = connect();
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256));
      await redis.set("bytes", bytes);

      assert.ok(bytes.equals((await redis.getBuffer("bytes"))!));
    });

    it("runs pipelines and transactions", async () => {
      const redis = connect();
      const results = await redis.pipeline().incr("n").incr("n").get("n").exec();
      const committed = await redis.multi().incr("n").get("n").exec();

      assert.deepEqual(results?.map(([, value]) => value), [1, 2, "2"]);
      assert.deepEqual(committed?.map(([, value]) => value), [3, "3"]);
    });

    it("gives a transaction up when a watched key was changed by someone else", async () => {
      const [one, two] = [connect(), connect()];
      await one.watch("w");
      await two.set("w", "theirs");

      assert.equal(await one.multi().set("w", "mine").exec(), null);
      assert.equal(await one.get("w"), "theirs");
    });

    it("gives a transaction up when a watched key expired", async () => {
      const redis = connect();
      await redis.set("w", "1", "PX", 1000);
      await redis.watch("w");
      await redis.pexpire("w", 1);
      const other = connect();
      while (await other.exists("w") === 1);

      assert.equal(await redis.multi().set("w", "mine").exec(), null);
    });

    it("delivers messages to channels and patterns", async () => {
      const [subscriber, publisher] = [connect(), connect()];
      const received = new Promise<string[]>((resolve) => {
        const messages: string[] = [];
        const add = (message: string) => messages.push(message) === 2 && resolve(messages.sort());
        subscriber.on("message", (channel, message) => add(`${channel} ${message}`));
        subscriber.on("pmessage", (pattern, channel, message) => {
          add(`${pattern} ${channel} ${message}`);
        });
      });
      await subscriber.subscribe("news");
      await subscriber.psubscribe("n?ws");

      assert.equal(await publisher.publish("news", "hello"), 2);
      assert.deepEqual(await received, ["n?ws news hello", "news hello"]);
    });

    it("visits every key, field and member with its scan streams", async () => {
      const redis = connect({ db: 5 });
      const names = Array.from({ length: 1000 }, (_, i) => `name:${i}`).sort();
      await redis.mset(...names.flatMap((name) => [name, "1"]));
      await redis.sadd("set", ...names);
      const collect = async (stream: AsyncIterable<string[]>) => {
        const found = new Set<string>();
        for await (const some of stream) for (const one of some) found.add(one);
        return [...found].sort();
      };

      assert.deepEqual(await collect(redis.scanStream({ match: "name:*", count: 50 })), names);
      assert.deepEqual(await collect(redis.sscanStream("set")), names);
    });

    it("answers a client that waits for an item, in the order of asking", async () => {
      const [first, second, producer] = [connect(), connect(), connect()];
      await Promise.all([first.ping(), second.ping()]);
      const one = first.blpop("queue", 0);
      await blockedClients(producer, 1);
      const two = second.blpop("other", "queue", 0);
      await blockedClients(producer, 2);
      const moved = producer.duplicate();
      clients.push(moved);
      const three = moved.blmove("queue", "done", "LEFT", "RIGHT", 0);
      await blockedClients(producer, 3);

      await producer.rpush("queue", "a", "b", "c");

      assert.deepEqual(await Promise.all([one, two, three]), [
        ["queue", "a"],
        ["queue", "b"],
        "c",
      ]);
      assert.equal(await producer.exists("queue"), 0);
      assert.deepEqual(await producer.lrange("done", 0, -1), ["c"]);
    });
  });
}

async function blockedClients(redis: Redis, count: number): Promise<void> {
  while (!(await redis.info("clients")).includes(`blocked_clients:${count}\r\n`));
}

function open(password?: string): Promise<EmbeddedServer> {
  return openEmbeddedServer({ host: "127.0.0.1", port: 0, password, logger: silentLogger });
}

async function run(
  program: string,
  args: readonly string[],
  { input = "", env = process.env }: {
    readonly input?: string;
    readonly env?: Readonly<Record<string, string | undefined>>;
  } = {},
): Promise<{ readonly output: string; readonly errors: string }> {
  const child = spawn(program, args, { env });
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => output += text);
  child.stderr.setEncoding("utf8").on("data", (text) => errors += text);
  child.stdin.end(input);
  await once(child, "close");
  return { output, errors };
}
