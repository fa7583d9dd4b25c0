import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { outputPattern, readSteps } from "./markdown-steps.ts";
import { Reader } from "./reader.ts";

describe("A page that is followed", () => {
  let directory = "";

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-pages-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const steps = async (markdown: string) => {
    const file = join(directory, "page.md");
    await writeFile(file, markdown.replaceAll("~~~", "```"));
    return await readSteps(file, "page.md");
  };
  const follow = async (markdown: string) => {
    await using reader = await Reader.open();
    for (const step of await steps(markdown)) await reader.follow(step);
  };

  it("has steps in order, each with its place", async () => {
    const found = await steps(
      "# Page\n~~~sh\nls\n~~~\n~~~text\na\n~~~\n~~~sh no-run\nrm\n~~~\n~~~ts lib/a.ts\n1;\n~~~\n" +
        "~~~ts\n2;\n~~~\n~~~sh exit=3\nfalse\n~~~\n<!-- stop -->\n",
    );

    assert.deepEqual(found.map(({ kind, place }) => `${kind} ${place}`), [
      "run page.md:2",
      "output page.md:5",
      "file page.md:11",
      "run page.md:17",
      "stop page.md:20",
    ]);
    await assert.rejects(steps("~~~sh exit3\nls\n~~~\n"), /page\.md:1: "exit3"/);
  });

  it("keeps variables and the directory, and writes files", async () => {
    await follow(
      "~~~sh\nmkdir a && cd a\nexport ONE=1\nTWO='it is\n2'\n~~~\n~~~js b/c.mjs\nconsole.log(3);\n~~~\n" +
        '~~~sh\necho "$ONE $TWO"; basename "$PWD"; node b/c.mjs; env | grep -c ^TWO || true\n~~~\n' +
        "~~~text\n1 it is\n2\na\n3\n0\n~~~\n",
    );
  });

  const wrong: readonly [string, string, RegExp][] = [
    ["a command that fails", "~~~sh\nfalse\necho on\n~~~\n", /page\.md:1 ended with 1/],
    ["a command that should fail", "~~~sh exit=3\ntrue\n~~~\n", /page\.md:1 ended with 0/],
    ["another output", "~~~sh\necho a\n~~~\n~~~text\nb\n~~~\n", /page\.md:4 shows/],
    ["more output", "~~~sh\necho a; echo b\n~~~\n~~~text\na\n~~~\n", /page\.md:4 shows/],
    ["less output", "~~~sh\necho a\n~~~\n~~~text\na\nb\n~~~\n", /page\.md:4 shows/],
  ];
  for (const [name, markdown, message] of wrong) {
    it(`fails with ${name}`, async () => {
      await assert.rejects(follow(markdown), message);
    });
  }

  it("waits for what runs in the background, and ends it", async () => {
    await follow(
      "~~~sh background\nnode -e 'setInterval(() => console.log(process.pid, \"up\"), 10)'\n~~~\n" +
        "~~~text\n... up\n~~~\n~~~sh\necho other\n~~~\n~~~text background\n...up\n~~~\n<!-- stop -->\n",
    );
  });
});

describe("An output that a page shows", () => {
  const matches: readonly [string, string, boolean][] = [
    ["a...c", "a b c", true],
    ["a...c", "a b\nc", false],
    ["a\n...\nd", "a\nb\nc\nd", true],
    ["a\n...\nd", "a\nd", true],
    ["(a.b)", "(a.b)", true],
    ["(a.b)", "(axb)", false],
  ];
  for (const [shown, printed, expected] of matches) {
    const name = `${JSON.stringify(shown)} is ${expected ? "" : "not "}${JSON.stringify(printed)}`;
    it(name, () => {
      assert.equal(new RegExp(`^${outputPattern(shown)}$`).test(`${printed}\n`), expected);
    });
  }
});
