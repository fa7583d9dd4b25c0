import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createAuthority, issueCertificate } from "../../../src/ca/index.ts";
import { isPlatformError } from "../../../src/errors/platform-error.ts";

const identity = { cluster: "prod", role: "server", name: "server1" } as const;
let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "dragoman-ca-"));
});

after(() => rm(root, { recursive: true }));

// Not beside the source: tests there share one process, and with it the environment.
describe("A certificate authority", () => {
  it("takes its password from the file that DRAGOMAN_CA_PASSWORD_FILE names", async () => {
    const directory = join(root, "outside");
    const file = join(root, "outside-password");
    await writeFile(file, "from outside\n");
    process.env["DRAGOMAN_CA_PASSWORD_FILE"] = file;
    try {
      await createAuthority(directory);
      assert.deepEqual(await readdir(join(directory, "secrets")), []);
      await issueCertificate(directory, { identity, hosts: [] });
    } finally {
      delete process.env["DRAGOMAN_CA_PASSWORD_FILE"];
    }
    await assert.rejects(
      issueCertificate(directory, { identity, hosts: [] }),
      (error) => isPlatformError(error, "CA_NO_PASSWORD"),
    );
  });
});
