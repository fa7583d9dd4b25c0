import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { kinds } from "../registry.ts";
import { restChannel } from "./index.ts";

const spec = { path: "/customers/{id}", service: "crm.get", security: ["key"] };

function files(spec: Record<string, unknown>): Record<string, unknown> {
  return { service: undefined, files: spec };
}

describe("RestChannel", () => {
  it("fills in its defaults", () => {
    const defaults = {
      methods: ["GET", "POST"],
      active: true,
      formats: ["json", "form"],
      output: "json",
      merge: true,
      priority: ["path", "query", "body"],
      queryMax: 8_192,
      etag: false,
      compress: false,
    };
    const parsed = restChannel.schema.parse(spec);

    assert.deepEqual({ ...parsed, ...spec, ...defaults }, parsed);
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
    ["no service and no files", { service: undefined }, /service or files/],
    ["a service and files", { files: { directory: "/srv" } }, /service or files/],
    ["files of a path without a wildcard", files({ directory: "/srv" }), /ends in \{name\*\}/],
    ["one file at a path with a name", files({ file: "/srv/x" }), /has no \{name\}/],
    ["a directory and a file", files({ directory: "/a", file: "/b" }), /one of both/],
    ["a relative directory", files({ directory: "srv" }), /not absolute/],
    ["a fallback that climbs", files({ directory: "/a", fallback: "../b" }), /below/],
    ["an unknown type of a path part", { path: "/a/{id:float}" }, /not a type of path parts/],
    ["a host with a port", { host: "a.b:80" }, /without a port/],
    ["a media type without a subtype", { accept: "text" }, /A media type is written/],
    ["a source twice", { priority: ["path", "path", "body"] }, /stands twice/],
    ["a field for the body of sources apart", { merge: false, bodyField: "x" }, /has a field/],
    ["a time limit of nothing", { timeoutMs: 0 }, /Too small/],
  ];
  for (const [name, change, reason] of wrong) {
    it(`refuses ${name}`, () => {
      const { error } = restChannel.schema.safeParse({ ...spec, ...change });

      assert.match(error?.issues[0]?.message ?? "accepted", reason);
    });
  }
});

describe("Two RestChannels at one path", () => {
  const place = { path: "/a/{x*}", service: "s", security: "none" };
  const cases: readonly [string, Record<string, unknown>, Record<string, unknown>, boolean][] = [
    ["of different hosts", { host: "a.b" }, { host: "*.b" }, false],
    ["of one host and of all", { host: "a.b" }, {}, false],
    ["of the same host", { host: "A.b" }, { host: "a.b" }, true],
    ["for different media types", { accept: "text/csv" }, { accept: "text/*" }, false],
    ["for the same media type", { accept: "text/csv" }, { accept: "text/csv" }, true],
    ["of different types of parts", { path: "/a/{x:int}" }, { path: "/a/{y:word}" }, false],
    ["of the same type of part", { path: "/a/{x:int}" }, { path: "/a/{y:int}" }, true],
    ["of files and a service that is written to", files({ directory: "/srv" }), {
      methods: ["POST"],
    }, false],
    ["of files and a service that is read", files({ directory: "/srv" }), {}, true],
    ["of other methods", { methods: ["POST"] }, { methods: ["GET"] }, false],
    ["of another shape", { path: "/a/b" }, {}, false],
    ["of the same shape", { path: "/b/{x}" }, { path: "/b/{y}" }, true],
    ["of files and a service where they begin", files({ directory: "/srv" }), { path: "/a" }, true],
  ];
  for (const [name, own, other, isConflict] of cases) {
    it(`${isConflict ? "conflict" : "live together"} when ${name}`, () => {
      const claims = (more: Record<string, unknown>) =>
        restChannel.claims?.(restChannel.schema.parse({ ...place, ...more })) ?? [];
      const taken = new Set(claims(other).map(({ key }) => key));

      const shared = claims(own).filter(({ key }) => taken.has(key)).map(({ what }) => what);
      assert.equal(shared[0]?.startsWith("GET at "), isConflict || undefined);
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
