import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { describe, it } from "node:test";
import { createLineSink } from "./line-sink.ts";

describe("createLineSink", () => {
  it("loses lines while nothing can be written, and says how many when it can again", () => {
    const written: string[] = [];
    let isFull = false;
    const { write } = createLineSink((text) => {
      if (isFull) throw new Error("No space left on device");
      written.push(text);
    });

    write("one");
    isFull = true;
    write("two");
    write("three");
    isFull = false;
    write("four");

    assert.deepEqual([written[0], written[2]], ["one\n", "four\n"]);
    assert.equal(JSON.parse(written[1] ?? "").lost, 2);
  });

  it("says why lines are lost, and tells how many were as soon as it is asked and can", () => {
    const written: string[] = [];
    let isFull = true;
    const { write, failure } = createLineSink((text) => {
      if (isFull) throw new Error("No space left on device");
      written.push(text);
    });

    const before = failure();
    write("one");
    const during = failure();
    isFull = false;
    const after = failure();

    assert.deepEqual([before, during, after], [undefined, "No space left on device", undefined]);
    assert.deepEqual(written.map((text) => JSON.parse(text).lost), [1]);
  });
});

describe("A process whose standard output takes nothing", () => {
  it("goes on", async () => {
    const full = openSync("/dev/full", "w");
    const logger = new URL("./logger.ts", import.meta.url).href;
    const code = `const { createLogger } = await import(${JSON.stringify(logger)});
      for (let i = 0; i < 100; i++) createLogger().info("x".repeat(1000));
      process.exit(7);`;
    const child = spawn(process.execPath, ["eval", "--quiet", code], {
      stdio: ["ignore", full, "inherit"],
    });

    const [exitCode] = await once(child, "exit");

    closeSync(full);
    assert.equal(exitCode, 7);
  });
});
