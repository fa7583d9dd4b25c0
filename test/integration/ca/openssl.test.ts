import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { createAuthority, issueCertificate, renewCertificate } from "../../../src/ca/index.ts";
import { authorityPaths } from "../../../src/ca/paths.ts";
import { roles } from "../../../src/mtls/identity.ts";

const run = promisify(execFile);

/** What `openssl` prints; rejects when it fails. */
async function openssl(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run("openssl", [...args]).catch((error: unknown) => {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw isMissing ? new Error("Install the package openssl: these tests need it") : error;
  });
  return stdout + stderr;
}

describe("OpenSSL", () => {
  let directory: string;
  let ca: string;
  before(async () => {
    directory = join(await mkdtemp(join(tmpdir(), "dragoman-ca-")), "ca");
    ca = (await createAuthority(directory, { commonName: 'A = "b"', organization: "C, D" })).cert;
  });
  after(() => rm(join(directory, ".."), { recursive: true, force: true }));

  const verify = (certPath: string, purpose: string) =>
    openssl("verify", "-x509_strict", "-CAfile", ca, "-purpose", purpose, certPath);

  it("reads in the authority what an authority of components may do, and no more", async () => {
    const text = await openssl("x509", "-in", ca, "-noout", "-text");

    assert.match(text, /X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    assert.match(text, /X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    const subject = await openssl("x509", "-in", ca, "-noout", "-subject", "-nameopt", "RFC2253");
    assert.equal(subject, 'subject=O=C\\, D,CN=A = \\"b\\"\n');
    assert.match(text, /NIST CURVE: P-256/);
    assert.match(await verify(ca, "any"), /: OK/);
  });

  it("cannot read the authority's key without its password, and can with it", async () => {
    const { key } = authorityPaths(directory);
    const password = join(directory, "secrets/ca-password");

    await assert.rejects(openssl("pkey", "-in", key, "-noout", "-passin", "pass:guess"));
    assert.match(
      await openssl("pkey", "-in", key, "-noout", "-text_pub", "-passin", `file:${password}`),
      /P-256/,
    );
    const structure = await openssl("asn1parse", "-in", key);
    assert.match(structure, /:PBES2[\s\S]*:PBKDF2[\s\S]*:aes-256-cbc/);
  });

  for (const role of roles) {
    it(`verifies the certificate of a ${role}, new and renewed, for what it is for`, async () => {
      const identity = { cluster: "demo", role, name: `${role}-1` };
      const hosts = ["localhost", "127.0.0.1", "::1"];
      const issued = await issueCertificate(directory, { identity, hosts });
      const renewed = await renewCertificate(directory, issued);

      for (const { certPath, keyPath, serial } of [issued, renewed]) {
        assert.match(await verify(certPath, "sslclient"), /: OK/);
        if (role === "operator") {
          await assert.rejects(verify(certPath, "sslserver"), /unsuitable certificate purpose/);
        } else {
          assert.match(await verify(certPath, "sslserver"), /: OK/);
        }
        const text = await openssl("x509", "-in", certPath, "-noout", "-text");
        assert.match(text, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
        assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature\n/);
        assert.match(
          text,
          role === "operator"
            ? /Extended Key Usage: \s+TLS Web Client Authentication\n/
            : /Extended Key Usage: \s+TLS Web Server Authentication, TLS Web Client Authentication\n/,
        );
        const hostName = role === "server" ? "DNS:server-1.server.demo.dragoman.internal, " : "";
        assert.ok(text.includes(
          `URI:spiffe://demo/${role}/${role}-1, ${hostName}DNS:localhost, ` +
            "IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
        ));
        assert.match(text, /X509v3 Subject Key Identifier/);
        assert.match(text, /X509v3 Authority Key Identifier/);
        assert.ok(text.replaceAll(/[\s:]/g, "").includes(serial));
        const ofKey = await openssl("pkey", "-in", keyPath, "-pubout");
        assert.equal(ofKey, await openssl("x509", "-in", certPath, "-noout", "-pubkey"));
      }
    });
  }
});
