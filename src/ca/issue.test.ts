import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createComponent } from "../config/component.ts";
import { isPlatformError } from "../errors/platform-error.ts";
import { createAuthority } from "./authority.ts";
import { installTls } from "./install.ts";
import { issueCertificate, listCertificates, renewCertificate } from "./issue.ts";
import { withLock } from "./lock.ts";
import { authorityPaths } from "./paths.ts";

const identity = { cluster: "demo", role: "server", name: "server1" } as const;

describe("Issuing certificates", () => {
  let root: string;
  let directory: string;
  let count = 0;
  before(async () => root = await mkdtemp(join(tmpdir(), "dragoman-ca-")));
  after(() => rm(root, { recursive: true, force: true }));

  async function freshAuthority(): Promise<string> {
    const fresh = join(root, `ca${count++}`);
    await createAuthority(fresh);
    return fresh;
  }
  before(async () => directory = await freshAuthority());

  it("gives a certificate that names its owner and hosts, and the key that belongs to it", async () => {
    const hosts = ["localhost", "127.0.0.1", "::1", "*.example.org"];

    const issued = await issueCertificate(directory, { identity, hosts });

    const certificate = new X509Certificate(await readFile(issued.certPath));
    const names = certificate.subjectAltName?.split(", ");
    assert.equal(names?.[0], "URI:spiffe://demo/server/server1");
    // By it, balancers that cannot check URIs know a server from everybody else.
    assert.equal(names?.[1], "DNS:server1.server.demo.dragoman.internal");
    assert.equal(names?.length, 6);
    assert.ok(
      hosts.slice(0, 3).every((host) => certificate.checkHost(host) ?? certificate.checkIP(host)),
    );
    assert.equal(certificate.subject, "CN=server1\nOU=demo");
    assert.equal(certificate.serialNumber.toLowerCase(), issued.serial);
    assert.match(issued.serial, /^[4-7][0-9a-f]{31}$/);
    assert.ok(certificate.checkPrivateKey(createPrivateKey(await readFile(issued.keyPath))));
    assert.ok(certificate.verify(new X509Certificate(await readFile(issued.caPath)).publicKey));
    assert.equal(((await stat(issued.keyPath)).mode & 0o777).toString(8), "600");
    assert.ok(Date.parse(issued.notBefore) < Date.now() - 4 * 60_000, "it is backdated");
  });

  it("renews with the same identity, hosts and days, and notes what replaced what", async () => {
    const fresh = await freshAuthority();
    const old = await issueCertificate(fresh, { identity, hosts: ["a.b"], validityDays: 40 });

    const renewed = await renewCertificate(fresh, { serial: old.serial.toUpperCase() });

    assert.deepEqual(renewed.identity, old.identity);
    assert.deepEqual(renewed.hosts, old.hosts);
    assert.notEqual(renewed.serial, old.serial);
    assert.notEqual(await readFile(renewed.keyPath, "utf8"), await readFile(old.keyPath, "utf8"));
    const days = (Date.parse(renewed.notAfter) - Date.now()) / 86_400_000;
    assert.ok(days > 39.9 && days <= 40, `valid for ${days} days`);
    const listed = await listCertificates(fresh);
    assert.deepEqual(
      listed.map(({ serial, state, replacedBy }) => ({ serial, state, replacedBy })),
      [
        { serial: old.serial, state: "replaced", replacedBy: renewed.serial },
        { serial: renewed.serial, state: "valid", replacedBy: undefined },
      ],
    );
    await assert.rejects(
      renewCertificate(fresh, { serial: old.serial }),
      (error) => isPlatformError(error, "CA_REPLACED") && error.message.includes(renewed.serial),
    );
    await assert.rejects(
      renewCertificate(fresh, { serial: "77" }),
      (error) => isPlatformError(error, "CA_UNKNOWN_SERIAL"),
    );
  });

  it("lists what ends within 30 days as expiring and what has ended as expired", async () => {
    const fresh = await freshAuthority();
    await issueCertificate(fresh, { identity, hosts: [], validityDays: 29 });
    await issueCertificate(fresh, { identity, hosts: [], validityDays: 1 });
    const { index } = authorityPaths(fresh);
    const content = JSON.parse(await readFile(index, "utf8"));
    content.certificates[1].notAfter = new Date(Date.now() - 1_000).toISOString();
    await writeFile(index, JSON.stringify(content));

    const states = (await listCertificates(fresh)).map(({ state }) => state);

    assert.deepEqual(states, ["expiring", "expired"]);
  });

  it("never outlives the authority", async () => {
    const short = join(root, "short");
    await createAuthority(short, { validityDays: 2 });

    const issued = await issueCertificate(short, { identity, hosts: [] });

    assert.ok(Date.parse(issued.notAfter) <= Date.now() + 2 * 86_400_000);
  });

  for (
    const [what, request] of Object.entries({
      "cluster": { identity: { ...identity, cluster: "de mo" }, hosts: [] },
      "name": { identity: { ...identity, name: "../server" }, hosts: [] },
      // A caller without types, such as a script.
      "role": { identity: { ...identity, role: "king" as "server" }, hosts: [] },
      "host": { identity, hosts: ["ok.example", "not a host"] },
      "host that is nearly an address": { identity, hosts: ["300.1.2.3"] },
      "host with a port": { identity, hosts: ["a.example:80"] },
      "validityDays": { identity, hosts: [], validityDays: 1.5 },
    })
  ) {
    it(`refuses a bad ${what} and changes nothing`, async () => {
      const { index, out } = authorityPaths(directory);
      const before = [await readFile(index, "utf8"), ...await readdir(out)];

      await assert.rejects(
        issueCertificate(directory, request),
        (error) =>
          isPlatformError(error, "CA_INVALID_REQUEST") &&
          error.message.includes(what.split(" ")[0]!),
      );

      assert.deepEqual([await readFile(index, "utf8"), ...await readdir(out)], before);
    });
  }

  it("keeps every certificate when several are issued at once", async () => {
    const fresh = await freshAuthority();
    const names = Array.from({ length: 8 }, (_, index) => `server${index}`);

    const issued = await Promise.all(
      names.map((name) => issueCertificate(fresh, { identity: { ...identity, name }, hosts: [] })),
    );

    const listed = await listCertificates(fresh);
    assert.deepEqual(
      listed.map(({ serial }) => serial).sort(),
      issued.map(({ serial }) => serial).sort(),
    );
    const left = await readdir(authorityPaths(fresh).material);
    assert.deepEqual(left.sort(), ["ca-cert.pem", "ca-key.pem", "index.json"]);
  });

  it("takes over the lock of a process that has ended, and waits for one that lives", async () => {
    const fresh = await freshAuthority();
    const paths = authorityPaths(fresh);

    await writeFile(paths.lock, "999999999 1");
    await issueCertificate(fresh, { identity, hosts: [] });
    await withLock(paths, async () => {
      await assert.rejects(
        withLock(paths, () => Promise.resolve(), { timeoutMs: 1 }),
        (error) => isPlatformError(error, "CA_BUSY") && error.message.includes(String(process.pid)),
      );
    });

    assert.equal((await listCertificates(fresh)).length, 1);
  });
});

describe("Installing a certificate", () => {
  let root: string;
  before(async () => root = await mkdtemp(join(tmpdir(), "dragoman-ca-")));
  after(() => rm(root, { recursive: true, force: true }));

  it("puts certificate, key and authority into the component's tls folder, again and again", async () => {
    const authority = join(root, "ca");
    const server = join(root, "server");
    await createAuthority(authority);
    await createComponent(server, { component: "server", config: {} });
    const first = await issueCertificate(authority, { identity, hosts: [] });

    await installTls(first, server);
    const second = await renewCertificate(authority, first);
    await installTls(second, server);

    for (
      const [name, from] of [["cert", second.certPath], ["key", second.keyPath], [
        "ca",
        second.caPath,
      ]]
    ) {
      const path = join(server, `tls/${name}.pem`);
      assert.equal(await readFile(path, "utf8"), await readFile(from!, "utf8"));
      assert.equal(((await stat(path)).mode & 0o777).toString(8), "600");
    }
    assert.equal((await readdir(join(server, "tls"))).length, 3);
  });

  it("refuses a directory that is no component, and files that are not there", async () => {
    const server = join(root, "server2");
    await createComponent(server, { component: "server", config: {} });
    const missing = join(root, "missing.pem");
    const issued = { certPath: missing, keyPath: missing, caPath: missing };

    await assert.rejects(
      installTls(issued, root),
      (error) => isPlatformError(error, "CONFIG_NOT_A_COMPONENT"),
    );
    await assert.rejects(
      installTls(issued, server),
      (error) => isPlatformError(error, "CA_CANNOT_INSTALL") && error.message.includes(missing),
    );
  });
});
