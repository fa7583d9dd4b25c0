import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  createTestAuthority,
  future,
  past,
  type TestAuthority,
} from "../../test/integration/ca/issued-identities.ts";
import { type Code, type codes } from "../errors/codes.ts";
import { isPlatformError } from "../errors/platform-error.ts";
import type { TlsMaterial } from "./identity.ts";
import { loadTls } from "./tls-material.ts";

const server = { cluster: "demo", role: "server", name: "server1" } as const;

describe("loadTls", () => {
  let root: string;
  let authority: TestAuthority;
  let other: TestAuthority;
  let good: TlsMaterial;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "dragoman-tls-"));
    [authority, other] = await Promise.all([createTestAuthority(), createTestAuthority()]);
    good = await authority.issue(server);
  });
  after(async () => {
    await Promise.all([authority.remove(), other.remove()]);
    await rm(root, { recursive: true, force: true });
  });

  async function component(name: string, material: Partial<TlsMaterial>): Promise<string> {
    const directory = join(root, name);
    await mkdir(join(directory, "tls"), { recursive: true });
    for (const [file, content] of Object.entries(material)) {
      await writeFile(join(directory, `tls/${file}.pem`), content);
    }
    return directory;
  }

  async function assertRefused(directory: string, code: Code & keyof typeof codes, words: string) {
    await assert.rejects(loadTls(directory), (error) => {
      assert.ok(isPlatformError(error, code), String(error));
      assert.ok(`${error.message} ${error.advice}`.includes(words), error.message);
      return true;
    });
  }

  it("reads what was installed", async () => {
    assert.deepEqual(await loadTls(await component("good", good)), good);
  });

  it("accepts intermediate certificates between the component's and the authority's", async () => {
    const chain = { ...good, cert: good.cert + good.ca, ca: (await other.issue(server)).ca };
    assert.equal((await loadTls(await component("chain", chain))).cert, chain.cert);
  });

  it("names the missing file and the command that makes it", async () => {
    const directory = await component("missing", { cert: good.cert, ca: good.ca });
    await assertRefused(directory, "MTLS_FILE_MISSING", join(directory, "tls/key.pem"));
    await assertRefused(directory, "MTLS_FILE_MISSING", "dragoman ca create server");
  });

  it("refuses a key of another certificate", async () => {
    const { key } = await authority.issue(server);
    await assertRefused(await component("key", { ...good, key }), "MTLS_KEY_MISMATCH", "key.pem");
  });

  it("refuses a certificate of another authority", async () => {
    const { ca } = await other.issue(server);
    await assertRefused(await component("ca", { ...good, ca }), "MTLS_WRONG_CA", "ca.pem");
  });

  it("refuses what is no certificate or no key", async () => {
    const noCert = await component("nocert", { ...good, cert: "hello" });
    const noKey = await component("nokey", { ...good, key: "-----BEGIN PRIVATE KEY-----\nx" });
    await assertRefused(noCert, "MTLS_MALFORMED", "cert.pem");
    await assertRefused(noKey, "MTLS_MALFORMED", "key.pem");
  });

  it("refuses a certificate that is not valid now, and says when it is", async () => {
    const expired = await component("expired", await authority.issueFor(server, past));
    const early = await component("early", await authority.issueFor(server, future));
    const day = (date: Date) => date.toISOString().slice(0, 10);
    await assertRefused(expired, "MTLS_NOT_VALID_NOW", day(past.notAfter));
    await assertRefused(early, "MTLS_NOT_VALID_NOW", day(future.notBefore));
  });
});
