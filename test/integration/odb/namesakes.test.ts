import assert from "node:assert/strict";
import { hostname } from "node:os";
import { after, before, describe, it } from "node:test";
import { takeName } from "../../../src/cluster/namesake.ts";
import { OdbLink } from "../../../src/cluster/odb-link.ts";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { delay } from "../../../src/lib/wait.ts";
import { openOdb, type OpenOdbOptions } from "../../../src/odb/open.ts";
import type { ServerReport } from "../../../src/odb/types.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

const startersCount = 10;

/** The first report of a life of the one server. */
function life(number: number, more: Partial<ServerReport> = {}): ServerReport {
  return {
    name: "server1",
    state: "joining",
    url: "http://127.0.0.1:17010",
    adminUrl: `https://10.0.0.${number}:17110`,
    version: "0.1.0",
    startedAt: "2026-01-01T00:00:00.000Z",
    revision: 0,
    stateHash: "",
    failures: [],
    incarnation: `life ${number}`,
    details: { hostname: `host${number}` },
    ...more,
  };
}

for (const { name, start } of databases) {
  describe(`${name}: servers of one name`, { timeout: 120_000 }, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    /** Every life has a connection of its own, and who has the name reports, as servers do. */
    async function race(
      access: Pick<OpenOdbOptions, "url" | "password">,
      lives: readonly ServerReport[],
    ): Promise<{ readonly winner: ServerReport; readonly refusals: readonly unknown[] }> {
      const odbs = await Promise.all(lives.map(() => openOdb(access)));
      const over = new AbortController();
      const reporting: Promise<void>[] = [];
      try {
        const outcomes = await Promise.allSettled(lives.map(async (own, index) => {
          const link = new OdbLink({ odb: odbs[index]!, cluster: "demo", logger: silentLogger });
          await takeName(link, own, "demo");
          reporting.push(report(link, own, over.signal));
        }));
        const winners = lives.filter((_, index) => outcomes[index]!.status === "fulfilled");
        assert.deepEqual(winners.length, 1, JSON.stringify(outcomes));
        const refusals = outcomes.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
        return { winner: winners[0]!, refusals };
      } finally {
        over.abort();
        await Promise.all(reporting);
        await Promise.all(odbs.map((odb) => odb.close()));
      }
    }

    const lives = Array.from({ length: startersCount }, (_, index) => life(index + 1));
    const pasts: Readonly<Record<string, ServerReport | undefined>> = {
      "of a name that is new": undefined,
      "of a name whose server left": life(99, { state: "down" }),
    };
    for (const [past, row] of Object.entries(pasts)) {
      it(`${past}: ten start at once, one may, the others hear who`, async () => {
        const { odb, access, cluster } = await openDemo(database);
        if (row !== undefined) await cluster.reportServer(row);

        const { winner, refusals } = await race(access, lives);

        const [server] = await cluster.listServers();
        assert.equal(server?.incarnation, winner.incarnation);
        assert.equal(refusals.length, startersCount - 1);
        for (const refusal of refusals) {
          assert.ok(isPlatformError(refusal, "SERVER_NAME_TAKEN"), String(refusal));
          const host = (winner.details as { readonly hostname: string }).hostname; // made by `life`
          assert.ok(refusal.message.endsWith(`alive at ${winner.adminUrl} on ${host}`));
        }
        await odb.close();
      });
    }

    it("starts anew in the same place at once", async () => {
      const { odb, access, cluster } = await openDemo(database);
      const place = { adminUrl: "https://10.0.0.1:17110", details: { hostname: hostname() } };
      await cluster.reportServer(life(99, place));

      const { winner } = await race(access, [life(1, place)]);

      const [server] = await cluster.listServers();
      assert.equal(server?.incarnation, winner.incarnation);
      await odb.close();
    });
  });
}

/** Gives signs of life until it is over. */
async function report(link: OdbLink, own: ServerReport, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await link.use((store) => store.reportServer(own));
    await delay(100, { signal }).catch(() => {});
  }
}
