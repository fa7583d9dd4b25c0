import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { checkHaproxyFile, findHaproxy } from "../../../src/load-balancer/haproxy/binary.ts";

const directory = new URL("../../golden/haproxy/", import.meta.url).pathname;

describe("golden configurations", async () => {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".cfg"));

  it("exist", () => assert.ok(files.length > 0));

  for (const file of files) {
    it(`${file} is one that HAProxy takes`, async () => {
      await checkHaproxyFile(await findHaproxy(), join(directory, file));
    });
  }
});
