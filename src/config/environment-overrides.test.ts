import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { isPlatformError } from "../errors/platform-error.ts";
import { applyEnvironment } from "./environment-overrides.ts";
import { parseYaml, validateSource } from "./yaml-source.ts";

function overridden(text: string, env: Record<string, string>): unknown {
  return applyEnvironment(parseYaml(text, "f.yaml")[0]!, env).value;
}

describe("Environment variables", () => {
  it("set fields in sections, in camelCase, read as YAML", () => {
    const text = "name: a\nlimits: { stallMs: 1, drainMs: 2 }\nurls: [a, b]\n";
    const value = overridden(text, {
      DRAGOMAN__LIMITS__STALL_MS: "500",
      DRAGOMAN__ON: "true",
      DRAGOMAN__KVDB__URL: "redis://kv:6379/0",
      DRAGOMAN__URLS__1: "c",
      DRAGOMAN__NAME: '"42"',
      OTHER__NAME: "x",
      DRAGOMAN_NAME: "x",
    });

    assert.deepEqual(value, {
      name: "42",
      limits: { stallMs: 500, drainMs: 2 },
      urls: ["a", "c"],
      on: true,
      kvdb: { url: "redis://kv:6379/0" },
    });
  });

  it("leave the document itself as it was", () => {
    const [source] = parseYaml("http: { port: 1 }", "f.yaml");

    applyEnvironment(source!, { DRAGOMAN__HTTP__PORT: "2" });

    assert.deepEqual(source!.value, { http: { port: 1 } });
    assert.equal(applyEnvironment(source!, { PATH: "/bin" }), source);
  });

  it("are named as the place of what is wrong with them", () => {
    const schema = z.strictObject({ http: z.strictObject({ port: z.int() }), name: z.string() });
    const [source] = parseYaml("http: { port: 1 }\nname: 3\n", "f.yaml");
    const place = (env: Record<string, string>) => {
      try {
        validateSource(schema, applyEnvironment(source!, { DRAGOMAN__NAME: "n", ...env }));
      } catch (error) {
        if (isPlatformError(error, "CONFIG_INVALID")) return error.message;
        throw error;
      }
      return "valid";
    };

    assert.equal(place({}), "valid");
    const variable = "environment variable DRAGOMAN__HTTP__";
    assert.match(place({ DRAGOMAN__HTTP__PORT: "no" }), new RegExp(`^${variable}PORT: `));
    assert.match(
      place({ DRAGOMAN__HTTP__PRT: "1" }),
      new RegExp(`^${variable}PRT: Unknown.*"port"`),
    );
    assert.match(place({ DRAGOMAN__HTTP__PORT: "[1" }), new RegExp(`^${variable}PORT: `));
    assert.match(place({ DRAGOMAN__HTTP__PORT: "" }), new RegExp(`^${variable}PORT: `));
  });

  it("reach neither prototypes nor documents that are no maps", () => {
    const value = overridden("a: 1", {
      DRAGOMAN__CONSTRUCTOR__PROTOTYPE__POLLUTED: "1",
      DRAGOMAN____PROTO____POLLUTED: "1",
      DRAGOMAN__A__B: "2",
    });

    assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
    assert.deepEqual((value as Record<string, unknown>)["a"], { b: 2 });
    for (const text of ["- 1", "text", "3"]) {
      assert.deepEqual(overridden(text, { DRAGOMAN__A: "1" }), parseYaml(text, "f")[0]!.value);
    }
  });
});
