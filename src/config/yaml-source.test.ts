import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { describeIssues, loadText, parseYaml, validateSource } from "./yaml-source.ts";

const schema = z.strictObject({
  name: z.string(),
  http: z.strictObject({ port: z.int().min(1), host: z.string().default("127.0.0.1") }),
  limits: z.strictObject({ timeoutMs: z.int().optional() }).prefault({}),
  clusters: z.array(z.strictObject({ adminUrls: z.array(z.string()) })).optional(),
  labels: z.record(z.string(), z.strictObject({ colour: z.string() })).optional(),
});

function errorOf(work: () => unknown): PlatformError {
  try {
    work();
  } catch (error) {
    if (isPlatformError(error)) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}

function problemOf(text: string): string {
  return errorOf(() => validateSource(schema, parseYaml(text, "f.yaml")[0]!)).message;
}

describe("parseYaml", () => {
  it("reads every document, JSON too, and leaves out empty ones", () => {
    const sources = parseYaml('---\na: 1\n---\n---\n# nothing\n---\n{"b": [2]}\n', "f");
    assert.deepEqual(sources.map(({ value }) => value), [{ a: 1 }, { b: [2] }]);
    assert.deepEqual(parseYaml("", "f"), []);
    assert.deepEqual(parseYaml("# only a comment\n", "f"), []);
  });

  const broken: readonly (readonly [name: string, text: string, wanted: RegExp])[] = [
    ["a list that does not end", "a: 1\nb: [1, 2\n", /^f\.yaml:\d+:\d+: /],
    ["a tab as indentation", "a:\n\tb: 1\n", /^f\.yaml:2:1: /],
    ["a key given twice", "a: 1\nb: 2\na: 3\n", /^f\.yaml:3:1: .*unique/i],
    ["an anchor that does not exist", "a: *nobody\n", /^f\.yaml:1:4: .*nobody/],
    ["a problem in a later document", "a: 1\n---\nb: ]\n", /^f\.yaml:3:4: /],
  ];
  for (const [name, text, wanted] of broken) {
    it(`says where there is ${name}`, () => {
      const error = errorOf(() => parseYaml(text, "f.yaml"));
      assert.equal(error.code, "CONFIG_SYNTAX");
      assert.match(error.message, wanted);
      assert.ok(!error.message.includes("\n"));
    });
  }

  it("refuses aliases that multiply", () => {
    const levels = "abcdefgh".split("").map((name, i, all) =>
      `${name}: &${name} [${Array(9).fill(i === 0 ? "x" : `*${all[i - 1]}`).join(", ")}]`
    );
    const error = errorOf(() => parseYaml(levels.join("\n"), "bomb.yaml"));
    assert.equal(error.code, "CONFIG_SYNTAX");
    assert.match(error.message, /^bomb\.yaml:.*alias/i);
  });
});

describe("validateSource", () => {
  it("returns the value with its defaults", () => {
    const [source] = parseYaml("name: s\nhttp: { port: 80 }", "f");
    assert.deepEqual(validateSource(schema, source!), {
      name: "s",
      http: { port: 80, host: "127.0.0.1" },
      limits: {},
    });
  });

  const problems: readonly (readonly [name: string, text: string, wanted: RegExp])[] = [
    [
      "an unknown field at its name, with the nearest known one",
      "name: s\nhttp:\n  port: 80\n  hsot: a\n",
      /^f\.yaml:4:3: Unknown field "hsot", did you mean "host"\?$/,
    ],
    [
      "an unknown field like no other",
      "name: s\nhttp: { port: 80 }\ncolour: red\n",
      /^f\.yaml:3:1: Unknown field "colour"$/,
    ],
    [
      "an unknown field in an optional section",
      "name: s\nhttp: { port: 80 }\nlimits: { timeoutMS: 1 }\n",
      /^f\.yaml:3:11: Unknown field "timeoutMS", did you mean "timeoutMs"\?$/,
    ],
    [
      "an unknown field within a list",
      "name: s\nhttp: { port: 80 }\nclusters:\n  - adminUrls: []\n  - adminUrl: x\n",
      /^f\.yaml:5:5: .*Unknown field "adminUrl", did you mean "adminUrls"\?/,
    ],
    [
      "an unknown field within a map",
      "name: s\nhttp: { port: 80 }\nlabels: { a: { color: x, colour: y } }\n",
      /^f\.yaml:3:16: Unknown field "color", did you mean "colour"\?$/,
    ],
    [
      "a wrong type at its place, with the field's path",
      "name: s\nhttp:\n  port: many\n",
      /^f\.yaml:3:3: Field "http\.port": .*expected (number|int)/,
    ],
    [
      "a missing field at the nearest place that exists",
      "name: s\nhttp:\n  host: a\n",
      /^f\.yaml:2:1: Field "http\.port": /,
    ],
    ["a document that is no map", "- 1\n- 2\n", /^f\.yaml:1:1: .*expected object/],
  ];
  for (const [name, text, wanted] of problems) {
    it(`reports ${name}`, () => assert.match(problemOf(text), wanted));
  }

  it("lists every problem with its place", () => {
    const [source] = parseYaml("nam: s\nhttp: { port: 0 }\n", "f.yaml");
    const error = errorOf(() => validateSource(schema, source!));

    assert.equal(error.code, "CONFIG_INVALID");
    const { issues } = error.details as { issues: { where: string; field: string }[] };
    const found = issues.map(({ where, field }) => `${field} at ${where}`).sort();
    assert.deepEqual(found, [
      "http.port at f.yaml:2:9",
      "nam at f.yaml:1:1",
      "name at f.yaml:1:1",
    ]);
  });

  it("counts lines from the beginning of the file, in later documents too", () => {
    const [, second] = parseYaml("name: s\nhttp: { port: 1 }\n---\nname: t\nhttp: 3\n", "f.yaml");
    assert.match(errorOf(() => validateSource(schema, second!)).message, /^f\.yaml:5:1: /);
  });
});

describe("describeIssues", () => {
  it("works without the schema, but then knows no nearest name", () => {
    const result = schema.safeParse({ name: "s", http: { port: 1 }, limit: 1 });
    assert.deepEqual(describeIssues(result.error!), [
      { path: ["limit"], reason: 'Unknown field "limit"' },
    ]);
  });
});

describe("loadText", () => {
  it("names the file that it cannot read", async () => {
    await assert.rejects(loadText("/no/such/file"), (error) => {
      assert.ok(isPlatformError(error, "CONFIG_UNREADABLE"));
      assert.match(error.message, /"\/no\/such\/file": .*(ENOENT|No such file)/);
      return true;
    });
  });
});
