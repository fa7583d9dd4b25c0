import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { PlatformError } from "../../errors/platform-error.ts";
import { describeProblems, excerptOf } from "./source-excerpt.ts";

describe("A place in a project's source", () => {
  let directory = "";
  let file = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-excerpt-"));
    file = join(directory, "hello.ts");
    await writeFile(file, "first\n\tconst x = ;\r\nlast\n");
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("is shown as its line with a caret below the column, tabs kept", async () => {
    assert.deepEqual(await excerptOf(file, { line: 2, column: 12 }), [
      "    2 | \tconst x = ;",
      "      | \t          ^",
    ]);
  });

  it("that is not there shows nothing", async () => {
    assert.deepEqual(await excerptOf(file, { line: 99, column: 1 }), []);
    assert.deepEqual(await excerptOf(join(directory, "nope.ts"), { line: 1, column: 1 }), []);
  });

  it("is found at the beginning of a message, and for each further problem", async () => {
    const error = new PlatformError("DEPLOY_COMPILE", { where: `${file}:2:12`, reason: "Bad" }, {
      details: [`${file}:1:1: Worse`, "server1: not offered"],
    });

    const problems = await describeProblems(error, { directory });

    assert.deepEqual(problems.map(({ where, reason }) => [where, reason]), [
      ["hello.ts:2:12", "Bad"],
      ["hello.ts:1:1", "Worse"],
    ]);
    assert.equal(problems[0]!.advice, undefined);
  });

  it("is found at the end of what a server says, by the file's base name", async () => {
    const [problem] = await describeProblems(
      new Error('"hello.ts" does not load: x is not defined (hello.ts:1:1)'),
      { directory: "/", files: [file] },
    );

    assert.equal(problem!.reason, '"hello.ts" does not load: x is not defined');
    assert.equal(problem!.excerpt[0], "    1 | first");
  });

  it("need not be there, and then the advice is what helps", async () => {
    const error = new PlatformError("ODB_IN_USE", { problems: "It is used" });

    const [problem] = await describeProblems(error, { directory });

    assert.equal(problem!.where, undefined);
    assert.match(problem!.advice ?? "", /users/);
  });
});
