import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(import.meta.resolve("../../../"));

/**
 * The compiler's complaints about a file, with the platform's own module as "dragoman". A register
 * holds for a whole program, so that the one of a test must not be part of ours: it is a text here.
 */
async function complaints(fixture: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "dragoman-register-"));
  const path = join(directory, "fixture.ts");
  try {
    await copyFile(join(import.meta.dirname!, "fixtures", fixture), path);
    return await new Promise((resolve) => {
      const args = ["check", "--config", join(root, "deno.json"), path];
      execFile(process.execPath, args, (error, _, stderr) => resolve(error === null ? "" : stderr));
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("The register of names", () => {
  // Each file says where it must not compile: a line that does although it must not is an error.
  it("lets only names and types compile that exist", async () => {
    assert.equal(await complaints("registered.ts.txt"), "");
  });

  it("leaves every name open where it is empty", async () => {
    assert.equal(await complaints("unregistered.ts"), "");
  });
});
