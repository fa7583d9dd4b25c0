import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestKit } from "dragoman/testing";
import { current, refresh } from "./prices.ts";

describe("prices", () => {
  it("are there when they have been refreshed", async () => {
    const kit = createTestKit();
    await kit.run(refresh, { products: ["tea", "coffee"] });

    const { output } = await kit.run(current, { product: "coffee" });
    assert.deepEqual(output, {
      product: "coffee",
      cents: 1_500,
      asOf: new Date(kit.clock.now()).toISOString(),
    });
  });
});
