import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { kinds } from "../registry.ts";
import { restChannel } from "./index.ts";

const spec = { path: "/customers/{id}", service: "crm.get", security: ["key"] };

describe("RestChannel", () => {
  it("fills in its defaults", () => {
    assert.deepEqual(restChannel.schema.parse(spec), {
      ...spec,
      methods: ["GET", "POST"],
      active: true,
    });
  });

  const wrong: readonly [string, Record<string, unknown>, RegExp][] = [
    ["no word about security", { security: undefined }, /Say "none", or list/],
    ["an empty list of definitions", { security: [] }, /Say "none", or list/],
    ["none among definitions", { security: ["none", "key"] }, /Say "none", or list/],
    ["no methods", { methods: [] }, /Too small/],
    ["a method twice", { methods: ["GET", "GET"] }, /stands twice/],
    ["an unknown method", { methods: ["BREW"] }, /Invalid option/],
    ["a path of the platform", { path: "/dragoman/x" }, /platform's own/],
    ["an unknown field", { pth: "/" }, /Unrecognized key/],
    ["a time limit of nothing", { timeoutMs: 0 }, /Too small/],
  ];
  for (const [name, change, reason] of wrong) {
    it(`refuses ${name}`, () => {
      const { error } = restChannel.schema.safeParse({ ...spec, ...change });

      assert.match(error?.issues[0]?.message ?? "accepted", reason);
    });
  }

  const others = [{ name: "other", spec: { path: "/customers/{number}", methods: ["GET"] } }];
  const conflicts: readonly [string, string, readonly string[], string | undefined][] = [
    [
      "the same shape and method",
      "/customers/{id}",
      ["POST", "GET"],
      'The channel "other" already takes GET at "/customers/{number}"',
    ],
    ["other methods", "/customers/{id}", ["POST"], undefined],
    ["another shape", "/customers/all", ["GET"], undefined],
    ["a wildcard", "/customers/{rest*}", ["GET"], undefined],
  ];
  for (const [name, path, methods, expected] of conflicts) {
    it(`compares itself with a channel of ${name}`, () => {
      const parsed = restChannel.schema.parse({ ...spec, path, methods });

      assert.equal(restChannel.conflict?.(parsed, others), expected);
    });
  }
});

describe("The registry of kinds", () => {
  for (const [name, kind] of kinds) {
    it(`describes every field of ${name}, with an example`, () => {
      assert.equal(kind.kind, name);
      for (const [field, schema] of Object.entries(kind.schema.shape)) {
        const meta = schema.meta?.();
        assert.ok(meta?.description, `${field} has no description`);
        assert.notEqual(meta.example, undefined, `${field} has no example`);
      }
    });

    it(`refers only from fields that ${name} has`, () => {
      for (const { field } of kind.references) assert.ok(field in kind.schema.shape, field);
    });
  }
});
