import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import type { Overview } from "../../shared/overview.ts";
import type { ClusterReadings } from "./readings.ts";
import { sampleReadings, sampleServer } from "./sample-readings.ts";
import { ClusterWatch } from "./watch.ts";

const cluster = { name: "demo", environment: "development" } as const;

/** A watch whose looks the test counts and answers. */
function watchOf(read: () => ClusterReadings) {
  const counts = { looks: 0, opened: 0, closed: 0 };
  const watch = new ClusterWatch({
    cluster,
    logger: silentLogger,
    intervalMs: 5,
    openSource: () => {
      counts.opened++;
      return Promise.resolve({
        look: () => {
          counts.looks++;
          return Promise.resolve(read());
        },
        close: () => {
          counts.closed++;
        },
      });
    },
  });
  return { watch, counts };
}

/** Subscribes and resolves with the first overview that `accept` likes. */
function firstThat(watch: ClusterWatch, accept: (overview: Overview) => boolean) {
  const { promise, resolve } = Promise.withResolvers<Overview>();
  const unsubscribe = watch.subscribe((json) => {
    const overview: Overview = JSON.parse(json);
    if (accept(overview)) resolve(overview);
  });
  return { promise, unsubscribe };
}

describe("ClusterWatch", () => {
  it("looks once for somebody who asks, and lets go again", async () => {
    const { watch, counts } = watchOf(() => sampleReadings());

    const overview = await watch.latest();

    assert.equal(overview.verdict.sentence, "Everything runs");
    assert.deepEqual(counts, { looks: 1, opened: 1, closed: 1 });
  });

  it("tells every watcher of a change, from shared looks", async () => {
    let servers = [sampleServer("server1")];
    const { watch, counts } = watchOf(() => sampleReadings({ servers }));
    const isTwo = (overview: Overview) => overview.servers.length === 2;
    const one = firstThat(watch, isTwo);
    const two = firstThat(watch, isTwo);

    servers = [...servers, sampleServer("server2")];

    await Promise.all([one.promise, two.promise]);
    assert.equal(counts.opened, 1);
    one.unsubscribe();
    two.unsubscribe();
  });

  it("says nothing while nothing but the time changes", async () => {
    let looks = 0;
    let heard = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { watch } = watchOf(() => {
      if (++looks === 4) resolve();
      // Within the first second of rates, so that they stay unknown.
      return sampleReadings({ at: "2026-03-01T12:00:00.000Z" });
    });
    const unsubscribe = watch.subscribe(() => heard++);

    await promise;

    assert.equal(heard, 1);
    unsubscribe();
  });

  it("stops looking when the last watcher has gone", async () => {
    const { watch, counts } = watchOf(() => sampleReadings());
    const { promise, unsubscribe } = firstThat(watch, () => true);
    await promise;

    unsubscribe();

    const isClosed = await poll(() => counts.closed === 1 || undefined, { timeoutMs: 2_000 });
    assert.equal(isClosed, true);
  });

  it("gives a late watcher what is known already", async () => {
    const { watch } = watchOf(() => sampleReadings());
    const early = firstThat(watch, () => true);
    await early.promise;

    const late = firstThat(watch, () => true);

    assert.equal((await late.promise).cluster, "demo");
    early.unsubscribe();
    late.unsubscribe();
  });

  it("shows why the console cannot look, and tries again", async () => {
    let failures = 0;
    const watch = new ClusterWatch({
      cluster,
      logger: silentLogger,
      intervalMs: 5,
      openSource: () => {
        if (failures++ === 0) return Promise.reject(new Error("no certificate"));
        return Promise.resolve({ look: () => Promise.resolve(sampleReadings()), close() {} });
      },
    });
    const sentences: string[] = [];
    const { promise, unsubscribe } = firstThat(watch, ({ verdict, attention }) => {
      sentences.push(attention[0]?.why ?? verdict.sentence);
      return verdict.health === "good";
    });

    await promise;

    assert.deepEqual(sentences, ["no certificate", "Everything runs"]);
    unsubscribe();
  });
});
