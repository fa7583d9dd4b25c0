import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { PlatformError } from "../../errors/platform-error.ts";
import { poll } from "../../lib/wait.ts";
import { openOdb } from "../../odb/open.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import { OdbLink } from "../odb-link.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { type LeaseTiming, patientLeaseTiming } from "./lease-timing.ts";

/** Shorter than the real times. */
const timing: LeaseTiming = {
  ...patientLeaseTiming,
  ttlMs: 1_500,
  renewMs: 300,
  marginMs: 300,
  lookMs: 40,
  idleLookMs: 200,
  yieldMs: 40,
  patienceMs: 300,
};

let directory: string;
const cleanUp: (() => Promise<void>)[] = [];
/** What all keepers were told, in order. */
let told: { readonly server: string; readonly what: string }[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-leases-"));
  told = [];
  await using odb = await openOdb({ url: `sqlite://${directory}/odb.db` });
  await odb.migrate();
  await odb.createCluster("test", { keyCheck: "x" });
});

afterEach(async () => {
  for (const clean of cleanUp.splice(0).toReversed()) await clean();
  await rm(directory, { recursive: true, force: true });
});

/** A server's keeper over a connection of its own, which can be made to hang or to fail. */
async function startServer(server: string, leases: readonly string[]) {
  const odb = await openOdb({ url: `sqlite://${directory}/odb.db` });
  const link = new OdbLink({ odb, cluster: "test", logger: silentLogger });
  cleanUp.push(() => link.close());
  const way = { is: "open" as "open" | "hanging" | "broken" };
  const hung = Promise.withResolvers<never>();
  const keeper = new LeaseKeeper({
    link: {
      use(work) {
        if (way.is === "hanging") return hung.promise;
        if (way.is === "open") return link.use(work);
        const reason = "it is not there";
        return Promise.reject(new PlatformError("ODB_UNREACHABLE", { address: "here", reason }));
      },
    },
    holder: { server, incarnation: "1" },
    logger: silentLogger,
    timing,
  });
  const claims = leases.map((name) =>
    keeper.campaign(name, {
      onHeld: ({ epoch }) => told.push({ server, what: `held ${name} ${epoch}` }),
      onLost: (reason) => told.push({ server, what: `lost ${name}: ${reason}` }),
    })
  );
  keeper.start();
  cleanUp.push(() => {
    way.is = "broken";
    return keeper.stop();
  });
  return { keeper, way, link, claims };
}

function heard(isIt: (line: { readonly server: string; readonly what: string }) => boolean) {
  return poll(() => told.find(isIt), { timeoutMs: 10_000, intervalMs: 5 });
}

describe("Keepers of several servers", () => {
  it("let one of them hold a lease, and another as soon as that one stops", async () => {
    const names = ["server-1", "server-2", "server-3"];
    const servers = await Promise.all(names.map((name) => startServer(name, ["scheduler"])));
    const first = await heard(({ what }) => what === "held scheduler 1");
    const leader = servers[names.indexOf(first!.server)]!;

    assert.deepEqual(leader.keeper.held(), [{ name: "scheduler", epoch: 1 }]);
    assert.equal(servers.filter(({ keeper }) => keeper.proof("scheduler") !== undefined).length, 1);
    await leader.keeper.stop();
    const second = await heard(({ what }) => what === "held scheduler 2");

    assert.notEqual(second?.server, first?.server);
    assert.equal(leader.keeper.proof("scheduler"), undefined);
    const terms = await leader.link.use((store) => store.listLeaseTerms());
    assert.deepEqual(
      terms.map(({ epoch, server, end }) => [epoch, server, end]),
      [[2, second?.server, null], [1, first?.server, "released"]],
    );
  });

  it("keep a lease for far longer than it lasts without a renewal", async () => {
    const { link, keeper } = await startServer("server-1", ["scheduler"]);
    await startServer("server-2", ["scheduler"]);
    await heard(({ what }) => what === "held scheduler 1");
    const begun = performance.now();

    await poll(() => performance.now() - begun > 2 * timing.ttlMs || undefined, {
      timeoutMs: 10_000,
    });

    assert.deepEqual(told.map(({ what }) => what), ["held scheduler 1"]);
    const [row] = await link.use((store) => store.listLeases());
    assert.equal(row?.state, "held");
    assert.ok(keeper.held().length === (row.server === "server-1" ? 1 : 0));
  });

  for (const fault of ["hanging", "broken"] as const) {
    it(`lose a lease by themselves, before it is another's, when the ODB is ${fault}`, async () => {
      const names = ["server-1", "server-2"];
      const servers = await Promise.all(names.map((name) => startServer(name, ["scheduler"])));
      const first = await heard(({ what }) => what === "held scheduler 1");
      const leader = servers[names.indexOf(first!.server)]!;

      leader.way.is = fault;
      await heard(({ what }) => what === "held scheduler 2");

      assert.deepEqual(told.map(({ what }) => what), [
        "held scheduler 1",
        "lost scheduler: unconfirmed",
        "held scheduler 2",
      ]);
      assert.equal(leader.keeper.proof("scheduler"), undefined);
      const terms = await leader.link.use((store) => store.listLeaseTerms());
      assert.deepEqual(terms.map(({ end }) => end), [null, "expired"]);
    });
  }

  it("take a lease back when the ODB is there again and nobody else wanted it", async () => {
    const { way, keeper } = await startServer("server-1", ["scheduler"]);
    await heard(({ what }) => what === "held scheduler 1");

    way.is = "broken";
    await heard(({ what }) => what === "lost scheduler: unconfirmed");
    way.is = "open";
    const again = await heard(({ what }) => what.startsWith("held") && told.length === 3);

    assert.ok(again);
    assert.equal(keeper.held().length, 1);
  });

  it("give up one lease of several that is not wanted any more", async () => {
    const { claims, keeper, link } = await startServer("server-1", ["a", "b"]);
    await heard(() => told.length === 2);

    await claims[0]?.withdraw();

    assert.deepEqual(keeper.held(), [{ name: "b", epoch: 1 }]);
    const rows = await link.use((store) => store.listLeases());
    assert.deepEqual(rows.map(({ name, state }) => [name, state]), [["a", "free"], ["b", "held"]]);
    assert.equal(told.at(-1)?.what, "lost a: withdrawn");
  });
});
