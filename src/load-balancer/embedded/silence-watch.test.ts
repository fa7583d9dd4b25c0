import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Side, SilenceWatch } from "./silence-watch.ts";

/** Resolves with the side that was reported silent. */
function reported(watch: SilenceWatch): Promise<Side> {
  return new Promise((resolve) => {
    watch.onSilence("client", () => resolve("client"));
    watch.onSilence("server", () => resolve("server"));
  });
}

describe("SilenceWatch", () => {
  it("reports the side that is awaited, by its own limit", async () => {
    const watch = new SilenceWatch({ client: 600_000, server: 5 });
    const silent = reported(watch);

    watch.awaiting("client");
    watch.awaiting("server");

    assert.equal(await silent, "server");
  });

  it("does not report a side that gave the turn back in time", async () => {
    const watch = new SilenceWatch({ client: 30, server: 5 });
    const silent = reported(watch);

    watch.awaiting("server");
    watch.awaiting("client");

    assert.equal(await silent, "client");
  });

  it("reports once, and again only after a new beginning", async () => {
    const watch = new SilenceWatch({ client: 1, server: 1 });
    let count = 0;
    const twice = new Promise<void>((resolve) => {
      watch.onSilence("client", () => {
        count += 1;
        if (count === 2) resolve();
        else watch.awaiting("client");
      });
    });

    watch.awaiting("client");
    await twice;

    assert.equal(count, 2);
  });

  it("reports nothing after it was stopped", async () => {
    const stopped = new SilenceWatch({ client: 1, server: 1 });
    stopped.onSilence("client", () => assert.fail("It was stopped"));
    const other = new SilenceWatch({ client: 20, server: 20 });
    const silent = reported(other);

    stopped.awaiting("client");
    stopped.stop();
    other.awaiting("client");

    await silent;
  });
});
