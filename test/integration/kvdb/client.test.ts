import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { PlatformError } from "../../../src/errors/platform-error.ts";
import { type Kvdb, type KvdbOptions, openKvdb } from "../../../src/kvdb/client.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import { createLogger, silentLogger } from "../../../src/telemetry/logger.ts";
import { type RedisPeer, startRedis } from "../../peers/redis.ts";
import { startEmbedded } from "./embedded-process.ts";

type Peer = Pick<RedisPeer, "url" | "pid" | "kill" | "restart" | "stop">;

const servers: Readonly<Record<string, () => Promise<Peer>>> = {
  "redis-server": startRedis,
  "embedded": startEmbedded,
};

for (const [name, start] of Object.entries(servers)) {
  describe(`Kvdb with ${name}`, () => {
    let peer: Peer;
    before(async () => {
      peer = await start();
    });
    after(() => peer.stop());

    it("answers at once after it was opened", async () => {
      await withKvdb({ url: peer.url }, async (kvdb) => {
        await kvdb.ping();
        assert.equal(kvdb.status().state, "up");
      });
    });

    it("delivers a message to the subscribers of its own cluster only", async () => {
      await withKvdb({ url: peer.url, cluster: "one" }, async (one) => {
        await withKvdb({ url: peer.url, cluster: "two" }, async (two) => {
          const received: string[] = [];
          await one.subscribe("events", (message) => received.push(`one ${message}`));
          await two.subscribe("events", (message) => received.push(`two ${message}`));

          assert.equal(await one.publish("events", "grüße"), 1);
          assert.equal(await two.publish("events", "b"), 1);
          await until(() => received.length === 2);

          assert.deepEqual(received.sort(), ["one grüße", "two b"]);
        });
      });
    });

    it("takes one of several subscriptions of a channel back", async () => {
      await withKvdb({ url: peer.url }, async (kvdb) => {
        const received: string[] = [];
        const stop = await kvdb.subscribe("c", (message) => received.push(`first ${message}`));
        await kvdb.subscribe("c", (message) => received.push(`second ${message}`));
        await stop();
        await stop();

        await kvdb.publish("c", "x");
        await until(() => received.length === 1);

        assert.deepEqual(received, ["second x"]);
      });
    });

    it("no longer receives after the last subscription was taken back", async () => {
      await withKvdb({ url: peer.url }, async (kvdb) => {
        const stop = await kvdb.subscribe("gone", () => {});
        await stop();

        assert.equal(await kvdb.publish("gone", "x"), 0);
      });
    });

    it("keeps a failing subscriber from harming the others", async () => {
      const lines: string[] = [];
      const logger = createLogger({ write: (line) => lines.push(line) });
      await withKvdb({ url: peer.url, logger }, async (kvdb) => {
        const received: string[] = [];
        await kvdb.subscribe("c", () => {
          throw new Error("boom");
        });
        await kvdb.subscribe("c", (message) => received.push(message));

        await kvdb.publish("c", "x");
        await until(() => received.length === 1);

        assert.ok(lines.some((line) => line.includes("boom")));
      });
    });

    it("fails fast while the server is dead, and comes back with its subscriptions", async () => {
      await withKvdb({ url: peer.url }, async (kvdb) => {
        const received: string[] = [];
        await kvdb.subscribe("before", (message) => received.push(message));
        const upSince = kvdb.status().since;

        await peer.kill();
        await until(() => kvdb.status().state === "down");
        await assert.rejects(kvdb.ping(), isUnreachable);
        await assert.rejects(kvdb.publish("x", "y"), isUnreachable);
        await kvdb.subscribe("meanwhile", (message) => received.push(message));
        await peer.restart();
        await until(() => kvdb.status().state === "up");

        assert.notEqual(kvdb.status().since, upSince);
        await until(async () => await kvdb.publish("before", "a") === 1);
        await until(async () => await kvdb.publish("meanwhile", "b") === 1);
        await until(() => received.includes("a") && received.includes("b"));
      });
    });

    it("notices a frozen server and finds it again when it goes on", async () => {
      await withKvdb({ url: peer.url }, async (kvdb) => {
        await kvdb.ping();

        process.kill(peer.pid, "SIGSTOP");
        try {
          // A command that was sent before anyone noticed fails, too.
          await assert.rejects(kvdb.ping(), isUnreachable);
          await until(() => kvdb.status().state === "down");
        } finally {
          process.kill(peer.pid, "SIGCONT");
        }
        await until(() => kvdb.status().state === "up");

        await kvdb.ping();
      });
    });

    it("stays up when the server refuses a command", async () => {
      await withKvdb({ url: peer.url }, async (kvdb) => {
        await kvdb.ping();
        await kvdb.redis.set("text", "abc");

        await assert.rejects(kvdb.redis.incr("text"), /not an integer/);

        assert.equal(kvdb.status().state, "up");
      });
    });

    it("uses the database that the URL names", async () => {
      await withKvdb({ url: `${peer.url}/3` }, async (kvdb) => {
        await kvdb.ping();
        await kvdb.redis.set("in-three", "1");
        await withKvdb({ url: peer.url }, async (other) => {
          await other.ping();
          assert.equal(await other.redis.exists("in-three"), 0);
        });
      });
    });
  });
}

describe("Kvdb", () => {
  it("is down with a reason, and fails fast, when nothing listens", async () => {
    const port = await findFreePort();
    await withKvdb({ url: `redis://127.0.0.1:${port}` }, async (kvdb) => {
      await assert.rejects(kvdb.ping(), (error) => {
        return isUnreachable(error) && /ECONNREFUSED|refused/.test(error.message);
      });
      const status = kvdb.status();
      assert.ok(status.state === "down" && /refused/i.test(status.reason));
    });
  });

  it("is down with the server's words when the password is wrong", async () => {
    const redis = await startRedis({ password: "right" });
    try {
      const lines: string[] = [];
      const logger = createLogger({ write: (line) => lines.push(line) });
      await withKvdb({ url: redis.url, password: "wrong-password", logger }, async (kvdb) => {
        await assert.rejects(kvdb.ping(), /WRONGPASS/);
      });
      await withKvdb({ url: redis.url, password: "right", logger }, (kvdb) => kvdb.ping());
      assert.ok(!lines.join().includes("wrong-password"));
    } finally {
      await redis.stop();
    }
  });

  it("tells what the server refuses, and why", async () => {
    const redis = await startRedis();
    try {
      await withKvdb({ url: redis.url }, async (kvdb) => {
        await kvdb.ping();
        await kvdb.redis.call("ACL", "SETUSER", "default", "-publish");

        await assert.rejects(kvdb.publish("c", "x"), (error) => {
          return hasCode(error, "KVDB_COMMAND_FAILED") && /PUBLISH.*NOPERM/.test(String(error));
        });
      });
    } finally {
      await redis.stop();
    }
  });

  it("does not connect before it is used, when lazy", async () => {
    const redis = await startRedis();
    try {
      await withKvdb({ url: redis.url, lazy: true }, async (kvdb) => {
        assert.equal(kvdb.redis.status, "wait");
        await kvdb.ping();
        assert.equal(kvdb.status().state, "up");
      });
    } finally {
      await redis.stop();
    }
  });

  it("refuses everything after close, which may be called twice and in any state", async () => {
    const kvdb = openKvdb({
      url: `redis://127.0.0.1:${await findFreePort()}`,
      cluster: "test",
      logger: silentLogger,
    });
    await assert.rejects(kvdb.ping());
    await kvdb.close();
    await kvdb.close();

    await assert.rejects(kvdb.ping(), (error) => hasCode(error, "KVDB_CLOSED"));
    await assert.rejects(kvdb.subscribe("c", () => {}), (error) => hasCode(error, "KVDB_CLOSED"));
  });
});

async function withKvdb(
  options: Partial<KvdbOptions> & Pick<KvdbOptions, "url">,
  use: (kvdb: Kvdb) => Promise<void>,
): Promise<void> {
  const kvdb = openKvdb({ cluster: "test", logger: silentLogger, ...options });
  try {
    await use(kvdb);
  } finally {
    await kvdb.close();
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const met = await poll(async () => (await condition() ? true : undefined), {
    timeoutMs: 15_000,
    intervalMs: 20,
  });
  assert.ok(met, `Not within 15 s: ${condition}`);
}

function isUnreachable(error: unknown): error is PlatformError {
  return hasCode(error, "KVDB_UNREACHABLE");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof PlatformError && error.code === code;
}
