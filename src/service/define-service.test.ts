import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineService, isService, type Service } from "./define-service.ts";
import { defineThreadTask, z } from "./index.ts";

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
    ["no handler", { handle: undefined }, /neither handle nor a handler for a method, such as get/],
    ["a handle that is no function", { handle: 1 }, /handle is not a function/],
    ["a handler of a method that is no function", { get: {} }, /get is not a function/],
    ["a hook that is no function", { onStart: true }, /onStart is not a function/],
    ["an input that is no schema", { input: {} }, /input is not a schema/],
    ["an output that is no schema", { output: null }, /output is not a schema/],
    ["a time limit of nothing", { timeoutMs: 0 }, /timeoutMs is 0/],
    ["no calls at all", { maxConcurrent: 0 }, /maxConcurrent is 0/],
    ["a queue below nothing", { queueMax: -1 }, /queueMax is -1/],
    ["a limit that is a text", { slowMs: "fast" }, /slowMs is fast/],
    ["a body kept and streamed", { rawBody: true, streamBody: true }, /exclude each other/],
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

  it("types handlers of methods, hooks and thread tasks", () => {
    const task = defineThreadTask({ name: "length", run: (text: string) => text.length });
    const service = defineService({
      name: "verbs",
      input: z.object({ id: z.int() }),
      output: z.object({ text: z.string() }),
      get: ({ input }) => ({ text: String(input.id + 1) }),
      // @ts-expect-error: the output's text is a text
      post: () => ({ text: 1 }),
      before({ input }) {
        // @ts-expect-error: the input has no name
        void input.name;
      },
      after(_, outcome) {
        const text: string | undefined = outcome.ok ? outcome.output.text : undefined;
        void text;
      },
      onError: () => ({ text: "instead" }),
      onStart: ({ server, log, signal }) => log.info(server, { signal }),
      async handle({ runInThread }) {
        const length: number = await runInThread(task, "text");
        // @ts-expect-error: the task takes a text
        void (() => runInThread(task, 1));
        return { text: String(length) };
      },
    });
    const output: Service<{ id: number }, { text: string }> = service;

    assert.deepEqual(output.methods, undefined);
    assert.deepEqual([...service.verbs!.keys()], ["GET", "POST"]);
  });
});
