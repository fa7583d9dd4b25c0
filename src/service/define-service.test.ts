import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineService, isService, type Service } from "./define-service.ts";
import { z } from "./index.ts";

// Cases of a definition that its types refuse, as plain JavaScript can write them.
function define(definition: Record<string, unknown>): Service {
  const given = { name: "a", handle: () => 1, ...definition };
  return defineService(given as unknown as Parameters<typeof defineService>[0]);
}

describe("defineService", () => {
  it("makes a frozen object that is recognised as a service", () => {
    const service = defineService({ name: "crm.get", handle: () => 1 });

    assert.ok(Object.isFrozen(service));
    assert.ok(isService(service));
    assert.equal(isService({ name: "crm.get", handle: () => 1 }), false);
  });

  const wrong: readonly [string, Record<string, unknown>, RegExp][] = [
    ["no name", { name: undefined }, /"undefined" cannot be defined: the name/],
    ["a space in the name", { name: "a b" }, /the name is not made of/],
    ["no handle", { handle: undefined }, /handle is not a function/],
    ["an input that is no schema", { input: {} }, /input is not a schema/],
    ["an output that is no schema", { output: null }, /output is not a schema/],
    ["a time limit of nothing", { timeoutMs: 0 }, /timeoutMs is 0/],
  ];
  for (const [name, definition, reason] of wrong) {
    it(`refuses ${name}`, () => {
      assert.throws(() => define(definition), reason);
    });
  }

  it("infers what callers give and get", () => {
    const typed = defineService({
      name: "typed",
      input: z.object({ id: z.int(), name: z.string().default("x") }),
      output: z.object({ text: z.string() }),
      handle: ({ input }) => ({ text: input.name.repeat(input.id) }),
    });
    const untyped = defineService({
      name: "untyped",
      async handle({ input, invoke }) {
        // @ts-expect-error: the input of a service without a schema is unknown
        void input.anything;
        // @ts-expect-error: the id is a number
        void (() => invoke(typed, { id: "1" }));
        const { text } = await invoke(typed, { id: 1 });
        return text.length;
      },
    });
    const length: Service<unknown, number> = untyped;
    const given: Service<{ id: number; name?: string | undefined }, { text: string }> = typed;
    const mismatched = defineService({
      name: "mismatched",
      output: z.object({ n: z.number() }),
      // @ts-expect-error: the output's n is a number
      handle: () => ({ n: "1" }),
    });

    assert.deepEqual([length.name, given.name, mismatched.name], [
      "untyped",
      "typed",
      "mismatched",
    ]);
  });
});
