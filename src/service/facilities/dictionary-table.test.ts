import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { dictionary } from "../kinds/dictionary.ts";
import { createDictionaries, indexDictionary } from "./dictionary-table.ts";

const gender = indexDictionary({
  entries: [{ crm: "M", erp: "male" }, { crm: "F", erp: "female", hr: "W" }, { crm: "X" }],
});
const dictionaries = createDictionaries(new Map([["gender", gender]]));

describe("A dictionary", () => {
  it("translates between systems, both ways", () => {
    const cases = [
      ["crm", "M", "erp", "male"],
      ["erp", "female", "crm", "F"],
      ["hr", "W", "erp", "female"],
      ["crm", "M", "hr", undefined],
      ["crm", "X", "erp", undefined],
      ["crm", "m", "erp", undefined],
      ["other", "M", "erp", undefined],
      ["crm", "M", "constructor", undefined],
      ["crm", "M", "crm", "M"],
    ] as const;
    for (const [from, value, to, word] of cases) {
      assert.equal(dictionaries.translate("gender", { from, to, value }), word);
    }
  });

  it("that does not exist is an error with the nearest name", () => {
    assert.throws(() => dictionaries.translate("gendre", { from: "a", to: "b", value: "c" }), {
      code: "DICTIONARY_UNKNOWN",
      message: 'There is no dictionary "gendre", did you mean "gender"?',
    });
  });

  it("is refused when a system has a word twice, and the entry is named", () => {
    const entries = [{ crm: "M", erp: "male" }, { crm: "F", erp: "female" }, { crm: "M" }];

    const { error } = dictionary.schema.safeParse({ entries });

    assert.equal(
      z.prettifyError(error!),
      '✖ "M" of "crm" stands in entry 0 already: {"crm":"M","erp":"male"}\n  → at entries[2].crm',
    );
  });

  it("may have one word in several systems", () => {
    assert.ok(dictionary.schema.safeParse({ entries: [{ a: "1", b: "1" }, { a: "2" }] }).success);
  });
});
