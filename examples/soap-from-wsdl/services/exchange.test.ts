import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestKit } from "dragoman/testing";
import { convert, listCurrencies } from "./exchange.ts";

describe("exchange", () => {
  const kit = createTestKit();

  it("converts", async () => {
    const { output } = await kit.run(convert, { Amount: 10, From: "EUR", To: "PLN" });

    assert.deepEqual(output, { Amount: 42.5, Rate: 4.25 });
  });

  it("knows its currencies", async () => {
    const { output } = await kit.run(listCurrencies, {});
    const failure = await kit.fails(convert, { Amount: 10, From: "EUR", To: "ABC" });

    assert.deepEqual(output.Currency, ["EUR", "PLN", "USD"]);
    assert.equal(failure.status, 404);
  });
});
