import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { poll } from "../lib/wait.ts";
import { openOdb } from "../odb/open.ts";
import type { ServerReport } from "../odb/types.ts";
import { silentLogger } from "../telemetry/logger.ts";
import { Membership } from "./membership.ts";
import { OdbLink } from "./odb-link.ts";
import { Presence } from "./presence.ts";

let directory: string;
let link: OdbLink;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-membership-"));
  const odb = await openOdb({ url: `sqlite://${directory}/odb.db`, lazy: true });
  link = new OdbLink({ odb, cluster: "demo", logger: silentLogger });
});

after(async () => {
  await link.close();
  await rm(directory, { recursive: true });
});

const report: ServerReport = {
  ...{ name: "server1", state: "up", version: "1.0.0", startedAt: "2026-01-01T00:00:00.000Z" },
  ...{ url: "http://127.0.0.1:1", adminUrl: "https://127.0.0.1:2", incarnation: "a" },
  ...{ revision: 1, stateHash: "", failures: [], details: null },
};

describe("A server's membership", () => {
  it("makes it known by what it has written, and at once when the ODB is back", async () => {
    const presence = new Presence();
    const membership = new Membership({
      ...{ link, presence, logger: silentLogger, intervalMs: 3_600_000 },
      report: () => report,
      onRefused: () => assert.fail("The row is its own"),
    });

    await membership.report(); // there is no database yet
    const isSeenWithout = presence.isSeen;
    const odb = await openOdb({ url: `sqlite://${directory}/odb.db` });
    await odb.migrate();
    await odb.createCluster("demo", { keyCheck: "" });
    await odb.close();
    await link.use((store) => store.listServers());
    const isSeen = await poll(() => presence.isSeen || undefined, { timeoutMs: 10_000 });
    await membership.leave("down");

    assert.deepEqual([isSeenWithout, isSeen], [false, true]);
  });
});
