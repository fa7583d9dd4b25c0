import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PlatformError } from "../errors/platform-error.ts";
import { createCapturedIo } from "./captured-io.ts";
import { exitCodeOf, printError } from "./error-text.ts";
import { formatDuration, printResult, quoteWord, renderTable } from "./output.ts";

describe("A result", () => {
  const result = {
    value: [{ name: "a", port: 1 }],
    table: { columns: ["name", "port"], rows: [["a", 1], ["longer", 20]] },
  };
  const print = async (format: "table" | "json" | "yaml") => {
    const { io, written } = createCapturedIo();
    await printResult(io.stdout, format, result);
    return written().stdout;
  };

  it("is printed as aligned columns, as one JSON value, or as YAML", async () => {
    assert.equal(await print("table"), "NAME    PORT\na       1\nlonger  20\n");
    assert.deepEqual(JSON.parse(await print("json")), result.value);
    assert.equal(await print("yaml"), "- name: a\n  port: 1\n");
  });

  it("without rows says so", () => {
    const table = { columns: ["a"], rows: [], empty: "None yet" };
    assert.equal(renderTable(table, { colour: false }), "None yet\n");
  });
});

describe("A duration", () => {
  for (
    const [seconds, text] of [[0, "0s"], [59.9, "59s"], [61, "1m 1s"], [3600, "1h"], [
      100_000,
      "1d 3h",
    ]] as const
  ) {
    it(`of ${seconds} seconds reads ${text}`, () => assert.equal(formatDuration(seconds), text));
  }
});

describe("A word for a shell", () => {
  it("is quoted only where it needs to be", () => {
    assert.equal(quoteWord("/srv/demo-1.2"), "/srv/demo-1.2");
    assert.equal(quoteWord("/srv/Ana's demo"), `'/srv/Ana'\\''s demo'`);
  });
});

describe("An error", () => {
  const show = (error: unknown, verbose = false) => {
    const { io, written } = createCapturedIo();
    printError(io.stderr, error, { verbose });
    return written().stderr;
  };

  it("of ours shows its message, its causes and its advice", () => {
    const cause = new Error("connect failed", { cause: new Error("no route to host") });
    const params = { cluster: "c", directory: "/d", reason: "2 were asked" };

    const text = show(new PlatformError("CLI_NO_SERVER", params, { cause, details: ["a: down"] }));

    assert.equal(
      text,
      'Error: No server of cluster "c" answers: 2 were asked\n' +
        "Why:   a: down\n       connect failed\n       no route to host (CLI_NO_SERVER)\n" +
        "Fix:   Start the cluster with dragoman start /d, or run dragoman doctor --env /d\n",
    );
  });

  it("does not repeat what its message or another cause says already", () => {
    const cause = new Error("outer: inner", { cause: new Error("inner") });
    const params = { where: "f:1:1", reason: "bad" };

    assert.match(
      show(new PlatformError("CLI_DOCUMENT", params, { cause })),
      /\nWhy: {3}outer: inner \(/,
    );
    assert.match(
      show(new PlatformError("CLI_DOCUMENT", params, { cause: new Error("bad") })),
      /\nWhy: {3}What was asked for is not valid \(CLI_DOCUMENT\)\n/,
    );
  });

  it("of another kind says that it is a fault of Dragoman, and how to see the stack", () => {
    const text = show(new TypeError("x is not a function"));

    assert.match(text, /^Error: Unexpected error: x is not a function\nWhy: .*fault in Dragoman/);
    assert.match(text, /\nFix: .*--verbose/);
    assert.match(show(new Error("x"), true), /output\.test\.ts/);
  });

  it("is a usage error only when the command line itself was wrong", () => {
    assert.equal(exitCodeOf(new PlatformError("CLI_UNKNOWN_OPTION", {})), 2);
    assert.equal(exitCodeOf(new PlatformError("CLI_NO_SERVER", {})), 1);
    assert.equal(exitCodeOf(new Error("x")), 1);
  });
});
