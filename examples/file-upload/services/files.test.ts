import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createTestKit } from "dragoman/testing";
import { list, uploadForm, uploadStream } from "./files.ts";

describe("files", () => {
  let directory = "";
  let kit: ReturnType<typeof createTestKit>;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "files-"));
    kit = createTestKit({ configs: { files: { values: { directory } } } });
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("come in forms", async () => {
    const { output } = await kit.run(uploadForm, { file: new File(["Hello"], "hello.txt") });

    assert.equal(output.sizeBytes, 5);
    assert.equal(await readFile(join(directory, "hello.txt"), "utf8"), "Hello");
  });

  it("come as streams", async () => {
    const { output } = await kit.run(uploadStream, { name: "stream.txt" }, { body: "Hi" });

    assert.deepEqual((await kit.run(list, {})).output.files, [
      { name: "hello.txt", sizeBytes: 5 },
      { name: "stream.txt", sizeBytes: 2 },
    ]);
    assert.match(output.sha256, /^[0-9a-f]{64}$/);
  });

  it("leave nothing behind when they break off", async () => {
    const before = await readdir(directory);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.error(new Error("The client has gone")),
    });
    await kit.fails(uploadStream, { name: "broken.txt" }, { body });

    assert.deepEqual(await readdir(directory), before);
  });

  it("stay in their directory", async () => {
    for (const name of ["../evil", ".hidden", "a/b", ""]) {
      assert.equal((await kit.fails(uploadStream, { name }, { body: "x" })).status, 400);
    }
    const file = new File(["x"], "../evil");
    assert.equal((await kit.fails(uploadForm, { file })).status, 400);
  });
});
