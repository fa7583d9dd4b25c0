import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runCaptured } from "./captured-io.ts";

interface Refusal {
  readonly name: string;
  readonly words: readonly string[];
  readonly what: RegExp;
  readonly why?: RegExp;
}

const usageErrors: readonly Refusal[] = [
  {
    name: "an unknown command",
    words: ["quickstrat", "create", "x"],
    what: /Unknown command "quickstrat create x"/,
    why: /nearest command is dragoman quickstart create/,
  },
  { name: "an unknown verb", words: ["ca", "lst"], what: /"ca lst"/, why: /dragoman ca list/ },
  { name: "a command like nothing", words: ["xyzzyplugh"], what: /"xyzzyplugh"/ },
  {
    name: "a noun without a verb",
    words: ["lb"],
    what: /"lb" needs a further word/,
    why: /lb status/,
  },
  {
    name: "an unknown option",
    words: ["create", "server", "x", "--http-prot", "1"],
    what: /Unknown option "--http-prot" of dragoman create server/,
    why: /nearest option is --http-port/,
  },
  { name: "an option before the command", words: ["--foo", "version"], what: /"--foo"/ },
  { name: "a missing argument", words: ["start"], what: /Missing required argument 'directory'/ },
  { name: "one argument too many", words: ["stop", "a", "b"], what: /[Tt]oo many arguments/ },
  {
    name: "a missing option",
    words: ["create", "cluster", "c"],
    what: /The option --odb-url must be given: The ODB/,
  },
  {
    name: "an option without its value",
    words: ["get", "--env"],
    what: /'--env <DIR>' argument missing/,
  },
  {
    name: "a word that is not a choice",
    words: ["version", "-o", "jsno"],
    what: /'jsno' is invalid.*did you mean "json"\?/,
  },
  {
    name: "a number out of range",
    words: ["quickstart", "create", "x", "--servers", "0"],
    what: /'0' is invalid.*whole number from 1 to 50/,
  },
  {
    name: "a number that is none",
    words: ["quickstart", "create", "x", "--port-offset", "1e3"],
    what: /'1e3' is invalid.*whole number/,
  },
  {
    name: "a database without its URL",
    words: ["quickstart", "create", "x", "--odb", "mysql"],
    what: /--odb mysql needs --odb-url/,
  },
  {
    name: "a database and another's URL",
    words: ["quickstart", "create", "x", "--odb", "mysql", "--odb-url", "postgresql://u@h/d"],
    what: /--odb is mysql, and --odb-url names a postgresql database/,
  },
  {
    name: "two KVDBs at once",
    words: ["quickstart", "create", "x", "--kvdb", "embedded", "--kvdb-url", "redis://h"],
    what: /exclude each other/,
  },
  {
    name: "an ODB that is no URL",
    words: ["create", "odb", "postgres"],
    what: /must be named by a URL/,
  },
  {
    name: "input that is no JSON",
    words: ["service", "invoke", "x", "-i", "{name:1}"],
    what: /The input is not JSON/,
  },
  {
    name: "a shell without completion",
    words: ["completion", "bahs"],
    what: /did you mean "bash"\?/,
  },
];

describe("The command line", () => {
  for (const { name, words, what, why } of usageErrors) {
    it(`refuses ${name} with exit code 2, saying what, why and how to fix it`, async () => {
      const { code, stdout, stderr } = await runCaptured(words, { cwd: "/nonexistent" });

      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, /^Error: .+\nWhy: {3}[\s\S]+\nFix: {3}.+\n$/);
      assert.match(stderr.split("\n")[0]!, what);
      if (why !== undefined) assert.match(stderr, why);
    });
  }

  it("shows the list of commands when nothing is asked", async () => {
    const { code, stdout } = await runCaptured([]);

    assert.equal(code, 0);
    assert.match(stdout, /\n {2}quickstart create {2,}Make a whole cluster/);
  });

  it("shows a stack only with --verbose", async () => {
    const words = ["info", "/nonexistent"];

    assert.doesNotMatch((await runCaptured(words)).stderr, /\n {4}at /);
    assert.match((await runCaptured([...words, "--verbose"])).stderr, /\n {4}at /);
  });

  it("takes an option's value after an equals sign, and arguments after --", async () => {
    const { code, stdout } = await runCaptured(["version", "-o=json"]);
    const dashed = await runCaptured(["info", "--", "--odd-name"], { cwd: "/nonexistent" });

    assert.equal(code, 2); // a short option takes its value without a sign
    assert.equal(stdout, "");
    assert.equal((await runCaptured(["version", "--output=json"])).code, 0);
    assert.match(dashed.stderr, /"\/nonexistent\/--odd-name" is not a Dragoman component/);
  });

  it("colours errors only where colour is welcome", async () => {
    const plain = await runCaptured(["nonsense"]);
    const coloured = await runCaptured(["nonsense"], { colour: true });

    assert.ok(!plain.stderr.includes("\u001b["));
    assert.ok(coloured.stderr.startsWith("\u001b[31mError:\u001b[0m "));
  });
});

describe("version", () => {
  it("prints the same facts as a line, as JSON and as YAML", async () => {
    const table = await runCaptured(["--version"]);
    const json = JSON.parse((await runCaptured(["version", "-o", "json"])).stdout);
    const yaml = await runCaptured(["version", "-o", "yaml"]);

    assert.match(table.stdout, /^dragoman \d+\.\d+\.\d+ \(deno /);
    assert.equal(table.stdout.split(" ")[1], json.version);
    assert.match(yaml.stdout, new RegExp(`^version: ${json.version}\n`));
  });
});
