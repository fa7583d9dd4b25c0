import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { StoredObject } from "../../../src/catalog/kind.ts";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { poll } from "../../../src/lib/wait.ts";
import { generateClusterKey, parseClusterKey } from "../../../src/security/cluster-key.ts";
import type { Facilities } from "../../../src/service/facilities.ts";
import type { OutgoingSet } from "../../../src/service/outgoing/outgoing-set.ts";
import { FacilitySource } from "../../../src/server/worker/facilities/facility-source.ts";
import { SupervisorLink } from "../../../src/server/worker/supervisor-link.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { object } from "../data-plane/worker-process.ts";
import { type KvdbPeer, kvdbs } from "./kvdbs.ts";

const nothing: OutgoingSet = {
  client: () => {
    throw new Error("There are no outgoing connections here");
  },
};

/** One worker's facilities. */
class Lender implements AsyncDisposable {
  readonly #source: FacilitySource;
  readonly log: string[] = [];

  constructor(url: string | undefined, cluster = "test") {
    this.#source = new FacilitySource({
      init: { cluster, kvdb: url === undefined ? undefined : { url } },
      key: parseClusterKey(generateClusterKey()),
      link: new SupervisorLink(() => {}),
      logger: createLogger({ write: (line) => this.log.push(line) }),
      threads: { run: () => Promise.reject(new Error("There are no threads here")) },
    });
  }

  lend(...objects: readonly StoredObject[]): Facilities {
    const { facilities, failures } = this.#source.update(objects, nothing);
    assert.deepEqual(failures, []);
    return facilities;
  }

  failures(...objects: readonly StoredObject[]) {
    return this.#source.update(objects, nothing).failures;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.close();
  }
}

const shared = (name: string, more: Readonly<Record<string, unknown>> = {}) =>
  object("Cache", name, { scope: "cluster", ...more });

/** Waits until what it asks for is so. */
async function eventually(is: () => Promise<boolean>): Promise<void> {
  const found = await poll(async () => await is() || undefined, { timeoutMs: 20_000 });
  assert.ok(found, "It never came to be");
}

async function isUp({ kvdb }: Facilities): Promise<boolean> {
  try {
    await kvdb.get("anything");
    return true;
  } catch (error) {
    if (isPlatformError(error, "KVDB_UNREACHABLE")) return false;
    throw error;
  }
}

for (const { name, start } of kvdbs) {
  describe(`${name} behind ctx.kvdb`, () => {
    let peer: KvdbPeer;
    before(async () => void (peer = await start()));
    after(() => peer?.stop());

    it("keeps, counts and removes, with and without an end", async () => {
      await using lender = new Lender(peer.url);
      const { kvdb } = lender.lend();

      assert.equal(await kvdb.get("a"), undefined);
      await kvdb.set("a", "ä\r\n\0");
      assert.equal(await kvdb.get("a"), "ä\r\n\0");
      assert.equal(await kvdb.setIfAbsent("a", "b"), false);
      assert.equal(await kvdb.setIfAbsent("b", "b", { ttlMs: 60_000.5 }), true);
      assert.equal(await kvdb.delete("a"), true);
      assert.equal(await kvdb.delete("a"), false);
      await kvdb.set("short", "x", { ttlMs: 1 });
      await eventually(async () => await kvdb.get("short") === undefined);
      await assert.rejects(kvdb.set("a", "b", { ttlMs: 0 }), { code: "KVDB_COMMAND_FAILED" });
    });

    it("counts without loss from many sides, from a beginning that sets the end", async () => {
      await using one = new Lender(peer.url);
      await using two = new Lender(peer.url);
      const stores = [one.lend().kvdb, two.lend().kvdb];

      await Promise.all(Array.from({ length: 500 }, (_, i) => stores[i % 2]!.increment("n")));
      assert.equal(await stores[0]!.increment("n", { by: -500 }), 0);

      const options = { by: 2, ttlMs: 60_000 };
      assert.equal(await stores[0]!.increment("window", options), 2);
      await stores[0]!.command("PEXPIRE", `${stores[0]!.prefix}window`, 10_000);
      assert.equal(await stores[1]!.increment("window", options), 4);
      const leftMs = Number(await stores[0]!.command("PTTL", `${stores[0]!.prefix}window`));
      assert.ok(leftMs > 0 && leftMs <= 10_000, `The second addition set the end anew: ${leftMs}`);
    });

    it("keeps clusters apart, and runs other commands", async () => {
      await using one = new Lender(peer.url, "one");
      await using two = new Lender(peer.url, "two");
      const [first, second] = [one.lend().kvdb, two.lend().kvdb];

      await first.set("who", "first");

      assert.equal(await second.get("who"), undefined);
      assert.equal(first.prefix, "dragoman:one:user:");
      assert.equal(await first.command("rpush", `${first.prefix}list`, "a", 7), 2);
      assert.deepEqual(await first.command("LRANGE", `${first.prefix}list`, 0, -1), ["a", "7"]);
      await assert.rejects(first.increment("who"), { code: "KVDB_COMMAND_FAILED" });
    });

    it("refuses commands that would change the link of all services", async () => {
      await using lender = new Lender(peer.url);
      const { kvdb } = lender.lend();

      for (const command of ["MULTI", "subscribe", "BLPOP", "FlushAll", "SELECT", "CONFIG"]) {
        await assert.rejects(kvdb.command(command, "x"), { code: "KVDB_COMMAND_REFUSED" });
      }
      assert.equal(await kvdb.get("still works"), undefined);
    });
  });

  describe(`${name} behind a Cache of the cluster`, () => {
    let peer: KvdbPeer;
    before(async () => void (peer = await start()));
    after(() => peer?.stop());

    it("is one for all workers", async () => {
      await using one = new Lender(peer.url);
      await using two = new Lender(peer.url);
      const [first, second] = [one, two].map((lender) => {
        return lender.lend(shared("rates"), shared("others")).caches.get("rates");
      });

      await first!.set("EUR", { rate: 1.1, at: ["ä"] });
      assert.deepEqual(await second!.get("EUR"), { rate: 1.1, at: ["ä"] });
      assert.equal(await two.lend(shared("others")).caches.get("others").get("EUR"), undefined);
      assert.deepEqual(await second!.getOrSet("EUR", () => assert.fail("It is there")), {
        rate: 1.1,
        at: ["ä"],
      });
      assert.equal(await second!.delete("EUR"), true);
      assert.equal(await first!.get("EUR"), undefined);
      assert.equal(await first!.delete("EUR"), false);
      await first!.set("a", 1);
      await second!.clear();
      assert.equal(await first!.get("a"), undefined);
    });

    it("forgets by time, and begins it anew where it shall", async () => {
      await using lender = new Lender(peer.url);
      const caches = lender.lend(
        shared("brief", { ttlMs: 5 }),
        shared("renewed", { ttlMs: 60_000, extendOnGet: true }),
      ).caches;
      const { kvdb } = lender.lend();
      const key = "dragoman:test:cache:renewed:k";

      await caches.get("brief").set("k", 1);
      await caches.get("renewed").set("k", 2);
      await kvdb.command("PEXPIRE", key, 1_000);

      await eventually(async () => await caches.get("brief").get("k") === undefined);
      assert.equal(await caches.get("renewed").get("k"), 2);
      assert.ok(Number(await kvdb.command("PTTL", key)) > 50_000);
    });

    it("holds no more entries than it may", async () => {
      await using lender = new Lender(peer.url);
      const { caches, kvdb } = lender.lend(shared("small", { maxEntries: 10 }));
      const small = caches.get("small");

      for (let i = 0; i < 50; i++) await small.set(`k${i}`, i, { ttlMs: 10_000 + i });

      const kept = await Promise.all(Array.from({ length: 50 }, (_, i) => small.get(`k${i}`)));
      const expected = Array.from({ length: 50 }, (_, i) => i < 40 ? undefined : i);
      assert.deepEqual(kept, expected);
      assert.equal(await kvdb.command("ZCARD", "dragoman:test:cache-index:small"), 10);
    });

    it("lives on in each worker while the KVDB is away, and forgets what changed then", async () => {
      await using one = new Lender(peer.url);
      await using two = new Lender(peer.url);
      const first = one.lend(shared("rates"));
      const second = two.lend(shared("rates"));
      const [here, there] = [first.caches.get("rates"), second.caches.get("rates")];
      for (const key of ["kept", "changed", "deleted"]) await here.set(key, "old");
      await there.get("kept");

      await peer.kill();
      await here.set("changed", "new");
      await here.delete("deleted");
      assert.equal(await here.get("changed"), "new");
      assert.equal(await there.get("changed"), undefined);
      let made = 0;
      for (let i = 0; i < 3; i++) await here.getOrSet("made", () => ++made);
      assert.equal(made, 1);
      await assert.rejects(first.kvdb.get("a"), { code: "KVDB_UNREACHABLE" });
      assert.match(one.log.join("\n"), /The cache is this worker's alone for now/);

      await peer.restart();
      await eventually(() => isUp(first));
      await eventually(() => isUp(second));
      assert.equal(await here.get("changed"), undefined);
      assert.equal(await here.get("deleted"), undefined);
      assert.equal(await here.get("made"), undefined);
      assert.equal(await there.get("changed"), undefined);
      assert.equal(await there.get("deleted"), undefined);
      await here.set("changed", "newer");
      assert.equal(await there.get("changed"), "newer");
      assert.match(one.log.join("\n"), /The cache is the cluster's again/);
    });

    it("is emptied after an outage in which it was cleared", async () => {
      await using lender = new Lender(peer.url);
      const facilities = lender.lend(shared("cleared"));
      const cache = facilities.caches.get("cleared");
      await cache.set("old", 1);

      await peer.kill();
      await cache.clear();
      await peer.restart();
      await eventually(() => isUp(facilities));

      assert.equal(await cache.get("old"), undefined);
    });
  });
}

describe("Facilities without a KVDB", () => {
  it("say so, and leave everything else alone", async () => {
    await using lender = new Lender(undefined);
    const objects = [shared("rates"), object("Cache", "fine", {})];

    assert.deepEqual(lender.failures(...objects), [
      { kind: "Cache", name: "rates", error: "This server has no KVDB" },
    ]);
    const { kvdb, caches } = lender.lend(objects[1]!);
    await assert.rejects(kvdb.get("a"), { code: "KVDB_NONE" });
    await caches.get("fine").set("a", 1);
    assert.equal(await caches.get("fine").get("a"), 1);
    assert.throws(() => caches.get("fin"), {
      code: "CACHE_UNKNOWN",
      message: 'There is no cache "fin", did you mean "fine"?',
    });
  });
});

describe("Facilities over configurations", () => {
  it("keep what caches hold, whatever becomes of their limits", async () => {
    await using lender = new Lender(undefined);
    const cache = (more: object) => object("Cache", "rates", { ...more });

    const before = lender.lend(cache({})).caches;
    await before.get("rates").set("EUR", 1);
    await before.get("default").set("EUR", 2);
    const after = lender.lend(cache({ maxEntries: 5, ttlMs: 1 })).caches;

    assert.equal(await after.get("rates").get("EUR"), 1);
    assert.equal(await after.get("default").get("EUR"), 2);
    const gone = lender.lend().caches;
    assert.throws(() => gone.get("rates"), { code: "CACHE_UNKNOWN" });
  });

  it("take the latest of dictionaries and user configuration, and report what is broken", async () => {
    await using lender = new Lender(undefined);
    const word = { from: "a", to: "b", value: "1" };
    const good = object("Dictionary", "d", { entries: [{ a: "1", b: "one" }] });
    const config = object("UserConfig", "c", { values: { deep: { list: [1] } } });

    const first = lender.lend(good, config);
    assert.equal(first.dictionaries.translate("d", word), "one");
    const { values, secret } = first.configs.get("c");
    assert.deepEqual([values, secret], [{ deep: { list: [1] } }, undefined]);
    assert.throws(() => (values["deep"] as { list: number[] }).list.push(2), TypeError);

    const changed = object("Dictionary", "d", { entries: [{ a: "1", b: "uno" }] });
    assert.equal(lender.lend(changed).dictionaries.translate("d", word), "uno");
    assert.throws(() => lender.lend().configs.get("c"), { code: "CONFIG_OBJECT_UNKNOWN" });

    const twice = object("Dictionary", "bad", { entries: [{ a: "1" }, { a: "1" }] });
    const sealed = object("UserConfig", "stolen", { secret: "dragoman:aes:00000000:x.y.z" });
    const failures = lender.failures(good, twice, sealed);
    assert.deepEqual(failures.map(({ name }) => name), ["bad", "stolen"]);
    assert.match(failures[0]!.error, /"1" of "a" stands in entry 0 already/);
  });
});
