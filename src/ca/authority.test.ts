import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isPlatformError } from "../errors/platform-error.ts";
import { createAuthority } from "./authority.ts";
import { issueCertificate } from "./issue.ts";

const identity = { cluster: "demo", role: "server", name: "server1" } as const;

describe("A certificate authority", () => {
  let root: string;
  before(async () => root = await mkdtemp(join(tmpdir(), "dragoman-ca-")));
  after(() => rm(root, { recursive: true, force: true }));

  it("is a component directory with its material, kept from other users", async () => {
    const directory = join(root, "fresh");

    const paths = await createAuthority(directory, { commonName: "Mine", organization: "Example" });

    const { subject, ca } = new X509Certificate(await readFile(paths.cert));
    assert.equal(subject, "CN=Mine\nO=Example");
    assert.ok(ca);
    assert.equal(
      JSON.parse(await readFile(join(directory, "component.json"), "utf8")).component,
      "ca",
    );
    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    assert.equal(await mode(paths.key), "600");
    assert.equal(await mode(join(directory, "secrets/ca-password")), "600");
    assert.equal(await mode(paths.material), "700");
    assert.equal(await mode(paths.out), "700");
  });

  it("has a key that opens with its password only", async () => {
    const directory = join(root, "encrypted");
    const paths = await createAuthority(directory);
    const key = await readFile(paths.key, "utf8");
    const passphrase = (await readFile(join(directory, "secrets/ca-password"), "utf8")).trim();

    assert.match(key, /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    assert.throws(() => createPrivateKey(key));
    assert.throws(() => createPrivateKey({ key, passphrase: "another" }));
    assert.equal(createPrivateKey({ key, passphrase }).asymmetricKeyType, "ec");
  });

  it("refuses a directory that holds something, and leaves it alone", async () => {
    const directory = join(root, "full");
    await mkdir(directory);
    await writeFile(join(directory, "precious"), "x");

    await assert.rejects(
      createAuthority(directory),
      (error) => isPlatformError(error, "CA_NOT_EMPTY"),
    );

    assert.deepEqual(await readdir(directory), ["precious"]);
  });

  it("refuses options that make no sense before it makes anything", async () => {
    const directory = join(root, "odd");

    await assert.rejects(
      createAuthority(directory, { validityDays: 0 }),
      (error) => isPlatformError(error, "CONFIG_INVALID") && error.message.includes("validityDays"),
    );

    await assert.rejects(stat(directory));
  });

  it("issues nothing with a wrong or a missing password, and says which file to mend", async () => {
    const directory = join(root, "locked");
    const { out } = await createAuthority(directory);
    const file = join(directory, "secrets/ca-password");
    const request = { identity, hosts: [] };

    await writeFile(file, "not-the-password\n");
    await assert.rejects(
      issueCertificate(directory, request),
      (error) =>
        isPlatformError(error, "CA_WRONG_PASSWORD") && error.message.includes(file) &&
        !error.message.includes("not-the-password"),
    );
    await rm(file);
    await assert.rejects(
      issueCertificate(directory, request),
      (error) => isPlatformError(error, "CA_NO_PASSWORD") && error.message.includes(file),
    );

    assert.deepEqual(await readdir(out), []);
  });

  it("says which file of it is damaged", async () => {
    const directory = join(root, "damaged");
    const paths = await createAuthority(directory);
    await writeFile(paths.index, '{"certificates":');

    await assert.rejects(
      issueCertificate(directory, { identity, hosts: [] }),
      (error) => isPlatformError(error, "CA_DAMAGED") && error.message.includes(paths.index),
    );
  });

  it("is told from directories of other kinds", async () => {
    await assert.rejects(
      issueCertificate(root, { identity, hosts: [] }),
      (error) => isPlatformError(error, "CONFIG_NOT_A_COMPONENT"),
    );
  });
});
