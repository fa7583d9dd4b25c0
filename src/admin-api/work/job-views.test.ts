import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openOdb } from "../../odb/open.ts";
import type { ClusterStore, Odb } from "../../odb/types.ts";
import { job } from "../../scheduler/kinds/job.ts";
import { JobViews } from "./job-views.ts";

describe("JobViews", () => {
  let directory = "";
  let odb: Odb;
  let store: ClusterStore;
  const views = new JobViews();

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-jobs-"));
    odb = await openOdb({ url: `sqlite://${directory}/odb.db` });
    await odb.migrate();
    await odb.createCluster("demo", { keyCheck: "sealed" });
    store = await odb.cluster("demo");
    for (const name of ["Zeta", "a", "b", "c"]) await put(name, { every: "1h" });
    await put("b", { every: "1h", active: false });
    await put("d", { cron: "0 0 30 2 *" });
    await store.pauseJob("c", "ana");
  });
  after(async () => {
    await odb?.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function put(name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
    const stored = job.schema.parse({ service: "s", ...spec });
    await store.change([{ op: "put", kind: "Job", name, spec: stored, references: [] }], {
      by: "ana",
    });
  }

  const names = async (query: Parameters<JobViews["list"]>[1]) =>
    (await views.list(store, query)).map(({ name }) => name);

  it("lists by name, page by page", async () => {
    assert.deepEqual(await names({ limit: 2 }), ["Zeta", "a"]);
    assert.deepEqual(await names({ limit: 2, after: "a" }), ["b", "c"]);
    assert.deepEqual(await names({ limit: 2, after: "c" }), ["d"]);
    assert.deepEqual(await names({ limit: 2, after: "d" }), []);
  });

  it("finds those in a state, wherever they stand", async () => {
    assert.deepEqual(await names({ limit: 1, state: "paused" }), ["c"]);
    assert.deepEqual(await names({ limit: 1, state: "inactive" }), ["b"]);
    assert.deepEqual(await names({ limit: 9, state: "active" }), ["Zeta", "a"]);
    const [alarm] = await views.list(store, { limit: 1, state: "alarm" });
    assert.equal(alarm?.name, "d");
    assert.ok(alarm.reason);
  });

  it("says how the last run went, and sees a change at once", async () => {
    const [before] = await views.list(store, { limit: 1, after: "Zeta" });
    await put("a", { every: "2h" });
    const [changed] = await views.list(store, { limit: 1, after: "Zeta" });

    assert.deepEqual([before?.lastRun, before?.schedule], [null, "every 1h"]);
    assert.equal(changed?.schedule, "every 2h");
  });
});
