import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestKit, type RestScript } from "dragoman/testing";
import { cheapest, flakyCarrier } from "./shipping.ts";

function kitWith({ slow, flaky }: { readonly slow: RestScript; readonly flaky: RestScript }) {
  return createTestKit({
    caches: { offers: { ttlMs: 60_000 } },
    rest: { "slow-carrier": { "GET /price": slow }, "flaky-carrier": { "GET /price": flaky } },
  });
}

describe("shipping.cheapest", () => {
  it("compares carriers, and asks once a minute", async () => {
    const kit = kitWith({ slow: { data: { cents: 950 } }, flaky: { data: { cents: 800 } } });
    const { output } = await kit.run(cheapest, { weight: 5 });
    await kit.run(cheapest, { weight: 5 });
    await kit.clock.advance(60_001);
    await kit.run(cheapest, { weight: 5 });

    assert.deepEqual(output, { best: { carrier: "flaky", cents: 800 }, failed: [] });
    assert.equal(kit.rest("slow-carrier").calls.length, 2);
    assert.deepEqual(kit.rest("slow-carrier").calls[0]?.query, { weight: "5" });
  });

  it("does without a carrier that does not answer", async () => {
    const kit = kitWith({
      slow: { failure: "breaker-open" },
      flaky: { data: { cents: 800 } },
    });
    const { output, log } = await kit.run(cheapest, { weight: 5 });

    assert.deepEqual(output.failed, ["slow"]);
    assert.ok(log.some(({ message }) => message === "Carriers left out"));
  });

  it("says 503 when none answers", async () => {
    const down = { failure: "breaker-open" } as const;
    const kit = kitWith({ slow: down, flaky: [{ status: 404 }] });

    const failing = kit.fails(cheapest, { weight: 5 });
    await kit.clock.advance(10_000);

    assert.equal((await failing).status, 503);
  });
});

describe("shipping.flaky", () => {
  it("tries again after a moment", async () => {
    const kit = kitWith({ slow: {}, flaky: [{ status: 503 }, { data: { cents: 700 } }] });
    const running = kit.run(flakyCarrier, { weight: 1 });
    await kit.clock.advance(100);

    assert.deepEqual((await running).output, { carrier: "flaky", cents: 700 });
    assert.equal(kit.rest("flaky-carrier").calls.length, 2);
  });
});
