import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { loadBalancerConfigSchema } from "../../config/schemas.ts";
import { isPlatformError } from "../../errors/platform-error.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import type { ConfigDocument, RevisionKey } from "../api.ts";
import { History } from "../configuration/history.ts";
import type { BackendServer, EngineSetup } from "../engine.ts";
import { Arrangement } from "./arrangement.ts";
import { loadServers } from "./registered-servers.ts";

const base = loadBalancerConfigSchema.parse({
  name: "lb1",
  cluster: "demo",
  engine: "haproxy",
  http: { port: 11223 },
  agent: { port: 20151 },
});
const by = "operator/ana";
const at = (port: number) => ({ host: "127.0.0.1", port });

describe("Arrangement", () => {
  let root: string;
  let directory: string;
  let live: Required<EngineSetup>;
  let running: number;
  let refuse: Error | undefined;
  let history: History;
  let arrangement: Arrangement;

  async function makeLive({ config, servers = live.servers }: EngineSetup) {
    running++;
    assert.equal(running, 1, "two changes at once");
    await Promise.resolve();
    running--;
    if (refuse !== undefined) throw refuse;
    live = { config, servers };
  }
  const engine = {
    setServers: (servers: readonly BackendServer[]) => makeLive({ ...live, servers }),
    configuration: {
      text: () => "",
      render: () => Promise.resolve(""),
      check: async () => {},
      apply: makeLive,
    },
  };
  const file = () => join(directory, "servers.json");
  const remembered = async () => JSON.parse(await readFile(file(), "utf8"));
  const change = (
    next: (document: ConfigDocument) => unknown,
    more: { base?: RevisionKey | null; force?: boolean } = {},
  ) => arrangement.change({ by, why: "a test", next, ...more });

  /** As after a restart of the agent. */
  async function open() {
    history = await History.open(join(directory, "configuration"));
    const registered = await loadServers(file());
    const options = { base, registered, file: file(), history, engine, logger: silentLogger };
    arrangement = new Arrangement(options);
    live = arrangement.setup();
  }

  before(async () => root = await mkdtemp(join(tmpdir(), "dragoman-arrangement-")));
  after(() => rm(root, { recursive: true }));
  beforeEach(async () => {
    directory = await mkdtemp(join(root, "one-"));
    running = 0;
    refuse = undefined;
    await open();
  });

  it("makes changes live one after the other, and remembers them", async () => {
    await Promise.all([
      arrangement.register("b", at(2)),
      arrangement.register("a", at(1)),
      arrangement.setDraining("b", true),
      arrangement.register("c", at(3)),
      change((document) => ({ ...document, algorithm: "leastconn" })),
      arrangement.leave("c"),
      arrangement.leave("never-was"),
    ]);

    const wanted = [
      { name: "a", ...at(1), draining: false },
      { name: "b", ...at(2), draining: true },
    ];
    assert.deepEqual(live.servers, wanted);
    assert.equal(live.config.algorithm, "leastconn");
    assert.deepEqual(await remembered(), wanted);
    await open();
    assert.deepEqual(live.servers, wanted);
    assert.equal(live.config.algorithm, "leastconn");
    assert.equal(arrangement.revision, 1);
  });

  it("moves a server that registers again, and ends its draining", async () => {
    await arrangement.register("a", at(1));
    await arrangement.setDraining("a", true);

    await arrangement.register("a", at(9));

    assert.deepEqual(live.servers, [{ name: "a", ...at(9), draining: false }]);
  });

  it("keeps what people asked of a server when it registers again", async () => {
    await arrangement.register("a", at(1));
    await arrangement.register("b", at(2));
    await change(() => ({
      servers: { a: { state: "maintenance", weight: 7 }, b: { state: "drain" } },
    }));

    await arrangement.register("a", at(1));
    await arrangement.leave("b");
    await arrangement.register("b", at(3));

    const wanted = [
      { name: "a", ...at(1), draining: false, maintenance: true, weight: 7 },
      { name: "b", ...at(3), draining: true },
    ];
    assert.deepEqual(live.servers, wanted);
    await open();
    assert.deepEqual(live.servers, wanted);
  });

  it("has servers that were added by hand until they register themselves", async () => {
    await change(() => ({ servers: { old: { address: "10.0.0.9:80" } } }));
    assert.deepEqual(live.servers, [{ name: "old", host: "10.0.0.9", port: 80, draining: false }]);

    await arrangement.register("old", at(1));
    assert.deepEqual(live.servers, [{ name: "old", ...at(1), draining: false }]);
  });

  it("remembers nothing of what the engine refuses", async () => {
    await arrangement.register("a", at(1));
    refuse = new Error("no");

    await assert.rejects(arrangement.register("b", at(2)), refuse);
    await assert.rejects(change(() => ({ algorithm: "leastconn" })));

    assert.deepEqual((await remembered()).map(({ name }: BackendServer) => name), ["a"]);
    assert.deepEqual(await readdir(join(directory, "configuration")), []);
    assert.equal(arrangement.revision, 0);
    refuse = undefined;
    await arrangement.register("c", at(3));
    assert.deepEqual(live.servers.map(({ name }) => name), ["a", "c"]);
    assert.equal(live.config.algorithm, "random");
  });

  it("lets go what a crash left half written", async () => {
    await change(() => ({ algorithm: "leastconn" }));
    const [name] = await readdir(join(directory, "configuration"));
    await writeFile(join(directory, "configuration", `${name}.pending`), "{ half");

    await open();

    assert.equal(arrangement.revision, 1);
    assert.deepEqual(await readdir(join(directory, "configuration")), [name]);
  });

  it("does not count as a change what is so already", async () => {
    assert.equal(await change(() => ({ algorithm: "random", servers: {} })), undefined);
    assert.equal(await change(() => ({ timeouts: { serverMs: 60_000 } })), undefined);
    const made = await change(() => ({ timeouts: { serverMs: 5_000 } }));
    assert.deepEqual(made, history.current);
    assert.deepEqual(arrangement.document, { timeouts: { serverMs: 5_000 } });
    assert.equal(live.config.timeouts.clientMs, 60_000);
  });

  it("refuses a change that was made for another revision", async () => {
    const first = await change(() => ({ retries: 1 }), { base: null });
    const at = "2999-01-01T00:00:00.000Z";
    await arrangement.adopt([{ ...first!, at, origin: "lb2", document: { retries: 2 } }]);

    for (const base of [null, first!]) {
      await assert.rejects(
        change(() => ({ retries: 3 }), { base }),
        (error: unknown) =>
          isPlatformError(error, "BALANCER_CHANGED_MEANWHILE") && /1@lb2/.test(error.message),
      );
    }
    assert.equal(live.config.retries, 2);
    await change(() => ({ retries: 3 }), { base: history.current! });
    assert.equal(live.config.retries, 3);
  });

  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ algoritm: "leastconn" }, /Unknown field "algoritm", did you mean "algorithm"\?/],
    [{ algorithm: "fastest" }, /algorithm: .*hash:header:NAME/],
    [{ timeouts: { serverMs: "1s" } }, /timeouts\.serverMs/],
    [{ name: "lb2" }, /Unknown field "name"/],
    [{ servers: { a: { weight: 257 } } }, /servers\.a\.weight/],
    [{ servers: { a: { address: "10.0.0.256:80" } } }, /not host:port/],
    [{ servers: { "a b": { weight: 5 } } }, /valid server name/],
    ["leastconn", /expected object/i],
  ];
  for (const [document, message] of wrong) {
    it(`refuses ${JSON.stringify(document)} and says why`, async () => {
      await assert.rejects(
        change(() => document),
        (error: unknown) => isPlatformError(error) && message.test(error.message),
      );
      assert.equal(arrangement.revision, 0);
    });
  }

  it("names the nearest server when one to drain is not there", async () => {
    await arrangement.register("server1", at(1));

    await assert.rejects(
      arrangement.setDraining("sever1", true),
      (error: unknown) =>
        isPlatformError(error, "BALANCER_NO_SUCH_SERVER") && error.message.includes('"server1"'),
    );
  });

  it("takes over the newest of what another agent has, and keeps all of it", async () => {
    await change(() => ({ retries: 1 }));
    const later = "2999-01-01T00:00:00.000Z";
    const theirs = (revision: number, retries: number) => ({
      revision,
      at: later,
      by: "operator/bob",
      why: "theirs",
      origin: "lb2",
      document: { retries },
    });

    await arrangement.adopt([theirs(1, 5), theirs(3, 7), theirs(2, 6)]);

    assert.equal(live.config.retries, 7);
    assert.equal(arrangement.revision, 3);
    assert.deepEqual(history.heads().map(({ id }) => id), ["3", "2", "1", "1@lb1"]);
    assert.deepEqual(history.find("1@lb1").document, { retries: 1 });
    await change(() => ({ retries: 8 }));
    assert.equal(arrangement.revision, 4);
  });

  it("undoes what it could not take over only when that is asked for", async () => {
    const revision = { revision: 9, at: new Date().toISOString(), by, why: "x", origin: "lb2" };
    await assert.rejects(arrangement.adopt([{ ...revision, document: { algorithm: "none" } }]));

    await assert.rejects(
      change(() => ({ retries: 1 })),
      (error: unknown) =>
        isPlatformError(error, "BALANCER_BEHIND") &&
        /Revision 9 of balancer lb2 .* here 0 holds.*algorithm/.test(error.message),
    );
    assert.equal(await change(() => ({})), undefined, "what changes nothing undoes nothing");
    assert.equal(arrangement.revision, 0);

    await change(() => ({ retries: 1 }), { force: true });
    assert.equal(arrangement.revision, 10);
    await change(() => ({ retries: 2 }));
    assert.equal(arrangement.revision, 11);
  });

  it("changes on once a peer has something that it takes", async () => {
    const head = { at: new Date().toISOString(), by, why: "x", origin: "lb2" };
    await assert.rejects(
      arrangement.adopt([{ ...head, revision: 9, document: { algorithm: "none" } }]),
    );
    await arrangement.adopt([{ ...head, revision: 10, document: { retries: 1 } }]);

    await change((document) => ({ ...document, algorithm: "leastconn" }));

    assert.equal(arrangement.revision, 11);
    assert.equal(live.config.retries, 1);
  });

  it("does not take over a remembered file that is damaged or was tampered with", async () => {
    const hostile = [{ name: "a\n  server evil 6.6.6.6:80", ...at(1), draining: false }];
    for (const text of ["", "{", "{}", JSON.stringify(hostile)]) {
      await writeFile(file(), text);
      await assert.rejects(
        loadServers(file()),
        (error) => isPlatformError(error, "BALANCER_STATE_UNREADABLE"),
      );
    }
    await writeFile(join(directory, "configuration", "0000000001-1-lb1.json"), "{}");
    await assert.rejects(
      History.open(join(directory, "configuration")),
      (error) => isPlatformError(error, "BALANCER_STATE_UNREADABLE"),
    );
  });

  it("begins with nothing when nothing was remembered", async () => {
    assert.deepEqual(await loadServers(join(directory, "none.json")), []);
    assert.equal(arrangement.revision, 0);
    assert.deepEqual(arrangement.document, {});
  });
});
