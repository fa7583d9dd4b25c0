import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { type HttpBackend, startHttpBackend } from "../../peers/http-backend.ts";
import { AnyBalancer, engines } from "./any-balancer.ts";
import { type CertificateFiles, OutsideAuthority } from "./certificates.ts";

const run = promisify(execFile);

let authority: OutsideAuthority;
let strangers: OutsideAuthority;
let site: CertificateFiles;
let shop: CertificateFiles;
let partner: CertificateFiles;
let backend: HttpBackend;

before(async () => {
  authority = await OutsideAuthority.open();
  strangers = await OutsideAuthority.open();
  site = await authority.issue("site", "site.example");
  shop = await authority.issue("shop", "shop.example", "*.shop.example");
  partner = await authority.issue("partner", "partner.example");
  backend = await startHttpBackend({ name: "one", ledger: join(authority.directory, "ledger") });
});
after(async () => {
  await backend.kill();
  await authority[Symbol.asyncDispose]();
  await strangers[Symbol.asyncDispose]();
});

/** curl's exit code, the status and what came back. */
interface Got {
  readonly exit: number;
  readonly status: number;
  readonly httpVersion: string;
  readonly redirect: string;
  readonly body: string;
}

async function curl(
  port: number,
  { host = "site.example", scheme = "https", path = "/", more = [] }: {
    readonly host?: string;
    readonly scheme?: string;
    readonly path?: string;
    readonly more?: readonly string[];
  } = {},
): Promise<Got> {
  const format = "\n%{http_code} %{http_version} %{redirect_url}";
  const args = ["-s", "-m", "10", "--cacert", authority.ca, "-w", format, ...more];
  const place = ["--resolve", `${host}:${port}:127.0.0.1`, `${scheme}://${host}:${port}${path}`];
  const { stdout, code } = await run("curl", [...args, ...place])
    .then(({ stdout }) => ({ stdout, code: 0 }))
    .catch((error: { stdout: string; code: number }) => error); // it exits with what went wrong
  const last = stdout.lastIndexOf("\n");
  const [status = "", httpVersion = "", redirect = ""] = stdout.slice(last + 1).split(" ");
  return {
    ...{ exit: code, status: Number(status), httpVersion, redirect },
    body: stdout.slice(0, last),
  };
}

/** What the server was told. */
function told({ body }: Got): Readonly<Record<string, string>> {
  return JSON.parse(body).headers;
}

async function der(file: string): Promise<string> {
  const pem = await readFile(file, "utf8");
  return pem.replace(/-----[A-Z ]+-----/g, "").replace(/\s/g, "");
}

/** The name in the certificate that a client is shown. */
async function shownTo(port: number, servername: string): Promise<string | undefined> {
  const socket: TLSSocket = connect({
    ...{ port, host: "127.0.0.1", servername },
    rejectUnauthorized: false, // whom it is shown to does not matter here
  });
  try {
    return await new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("secureConnect", () => {
        const { fingerprint256 } = socket.getPeerCertificate();
        resolve(fingerprint256);
      });
    });
  } finally {
    socket.destroy();
  }
}

const certOf = ({ certificate, key }: CertificateFiles) => ["--cert", certificate, "--key", key];

for (const engine of engines) {
  describe(`TLS at the ${engine} balancer`, () => {
    it("shows each client the certificate of the name that it asks for", async () => {
      const tls = { ...site, moreCertificates: [shop] };
      const settings = { tls };
      await using balancer = await AnyBalancer.open({ engine, settings, servers: [backend] });

      const answers = [
        await curl(balancer.port),
        await curl(balancer.port, { host: "shop.example" }),
        await curl(balancer.port, { host: "a.shop.example" }),
      ];

      assert.deepEqual(answers.map(({ exit, status }) => [exit, status]), [
        [0, 200],
        [0, 200],
        [0, 200],
      ]);
      assert.equal(told(answers[0]!)["x-forwarded-proto"], "https");
      const other = await curl(balancer.port, { host: "elsewhere.example" });
      assert.equal(other.exit, 60, "the first certificate does not name that host");
    });

    it("refuses TLS below what is asked for, and plain HTTP", async () => {
      const settings = { tls: { ...site, minVersion: "1.3" as const } };
      await using balancer = await AnyBalancer.open({ engine, settings, servers: [backend] });

      const old = await curl(balancer.port, { more: ["--tls-max", "1.2"] });
      const plain = await curl(balancer.port, { scheme: "http" });
      const fresh = await curl(balancer.port, { more: ["--tlsv1.3"] });

      assert.notEqual(old.exit, 0);
      assert.notEqual(plain.status, 200);
      assert.equal(fresh.status, 200);
    });

    it("sends plain HTTP to where TLS is, with everything that was asked for", async () => {
      const port = await findFreePort();
      const settings = { tls: { ...site, redirect: { host: "127.0.0.1", port } } };
      await using balancer = await AnyBalancer.open({ engine, settings, servers: [backend] });

      const { status, redirect } = await curl(port, { scheme: "http", path: "/a/b?c=d%20e" });
      const without = await curl(port, { scheme: "http", more: ["-H", "Host;"] });

      assert.equal(status, 308);
      assert.equal(redirect, `https://site.example:${balancer.port}/a/b?c=d%20e`);
      assert.equal(without.status, 400);
    });

    it("hands the client's certificate to servers, and nobody else's word for it", async () => {
      const clientCertificate = "optional" as const;
      const settings = { tls: { ...site, clientCa: authority.ca, clientCertificate } };
      await using balancer = await AnyBalancer.open({ engine, settings, servers: [backend] });
      const forged = ["-H", "Client-Cert: :bXk=:", "-H", "Client-Cert-Chain: :bXk=:"];
      const stranger = await strangers.issue("stranger", "partner.example");

      const shown = await curl(balancer.port, { more: [...certOf(partner), ...forged] });
      const none = await curl(balancer.port, { more: forged });
      const wrong = await curl(balancer.port, { more: certOf(stranger) });

      assert.equal(told(shown)["client-cert"], `:${await der(partner.certificate)}:`);
      assert.equal(told(shown)["client-cert-chain"], undefined);
      assert.equal(none.status, 200);
      assert.equal(told(none)["client-cert"], undefined);
      assert.equal(wrong.status, 0);
    });

    it("passes on a large body together with a large certificate", async () => {
      const clientCertificate = "optional" as const;
      const settings = { tls: { ...site, clientCa: authority.ca, clientCertificate } };
      await using balancer = await AnyBalancer.open({ engine, settings, servers: [backend] });
      const names = Array.from({ length: 150 }, (_, n) => `name-${n}.partner.example`);
      const large = await authority.issue(`large-${engine}`, ...names);
      const field = `:${await der(large.certificate)}:`;
      assert.ok(field.length > 4_096, `${field.length}`);
      const body = join(authority.directory, "body");
      await writeFile(body, Buffer.alloc(65_536, "a"));

      for (const version of ["--http1.1", "--http2"]) {
        const more = [version, "--data-binary", `@${body}`, ...certOf(large)];
        const got = await curl(balancer.port, { more });
        assert.equal(got.status, 200, got.body);
        assert.equal(told(got)["client-cert"], field);
        assert.equal(JSON.parse(got.body).bodyBytes, 65_536);
      }
    });

    it("lets nobody in without a certificate where one is required", async () => {
      const clientCertificate = "required" as const;
      const settings = { tls: { ...site, clientCa: authority.ca, clientCertificate } };
      await using balancer = await AnyBalancer.open({ engine, settings, servers: [backend] });

      assert.equal((await curl(balancer.port)).status, 0);
      assert.equal((await curl(balancer.port, { more: certOf(partner) })).status, 200);
    });

    it("takes a renewed certificate with the next reload, and no worse one", async () => {
      const renewed = await authority.issue(`renewed-${engine}`, "site.example");
      const settings = { tls: renewed };
      await using balancer = await AnyBalancer.open({ engine, settings, servers: [backend] });
      const before = await shownTo(balancer.port, "site.example");
      await authority.issue(`renewed-${engine}`, "site.example");

      await balancer.engine.configuration.apply({ config: balancer.config });

      const after = await shownTo(balancer.port, "site.example");
      assert.notEqual(after, before);
      assert.equal((await curl(balancer.port)).status, 200);

      await run("cp", [site.key, renewed.key]);
      await assert.rejects(
        balancer.engine.configuration.apply({ config: balancer.config }),
        (error) => isPlatformError(error, "BALANCER_TLS_FILE"),
      );
      assert.equal(await shownTo(balancer.port, "site.example"), after);
    });

    it("takes servers in and out while the files of a certificate are being replaced", async () => {
      const replaced = await authority.issue(`replaced-${engine}`, "site.example");
      const settings = { tls: replaced };
      await using balancer = await AnyBalancer.open({ engine, settings, servers: [backend] });
      const before = await shownTo(balancer.port, "site.example");

      const second = await authority.issue("second", "site.example");
      await run("cp", [second.key, replaced.key]);
      await balancer.engine.setServers([{ ...backend, draining: true }]);
      await balancer.until("one", ({ state }) => state === "draining");
      await run("cp", [second.certificate, replaced.certificate]);
      await balancer.engine.setServers([backend]);
      await balancer.until("one", ({ state }) => state === "up");

      assert.equal(await shownTo(balancer.port, "site.example"), before);
      await balancer.engine.configuration.apply({ config: balancer.config });
      assert.notEqual(await shownTo(balancer.port, "site.example"), before);
    });

    it("says which file it cannot use, and quotes no key", async () => {
      const missing = { tls: { ...site, key: "/nonexistent/key.pem" } };
      await assert.rejects(
        AnyBalancer.open({ engine, settings: missing }),
        (error: unknown) =>
          isPlatformError(error, "BALANCER_TLS_FILE") &&
          error.message.includes("/nonexistent/key.pem"),
      );
      const swapped = { tls: { certificate: site.certificate, key: shop.key } };
      await assert.rejects(
        AnyBalancer.open({ engine, settings: swapped }),
        (error: unknown) =>
          isPlatformError(error, "BALANCER_TLS_FILE") && !error.message.includes("PRIVATE KEY"),
      );
    });
  });
}

describe("HTTP/2", () => {
  it("is spoken by HAProxy with clients that can", async () => {
    const settings = { tls: site };
    await using balancer = await AnyBalancer.open({
      ...{ engine: "haproxy", settings, servers: [backend] },
    });
    const second = await curl(balancer.port, { more: ["--http2"] });
    const first = await curl(balancer.port, { more: ["--http1.1"] });
    assert.deepEqual([second.status, second.httpVersion], [200, "2"]);
    assert.deepEqual([first.status, first.httpVersion], [200, "1.1"]);
  });

  it("can be switched off", async () => {
    const settings = { tls: { ...site, http2: false } };
    await using balancer = await AnyBalancer.open({
      ...{ engine: "haproxy", settings, servers: [backend] },
    });
    const { status, httpVersion } = await curl(balancer.port, { more: ["--http2"] });
    assert.deepEqual([status, httpVersion], [200, "1.1"]);
  });

  it("is nothing that the embedded balancer can do, and it says so", async () => {
    const settings = { tls: { ...site, http2: true } };
    await assert.rejects(
      AnyBalancer.open({ engine: "embedded", settings }),
      (error: unknown) =>
        isPlatformError(error, "BALANCER_ENGINE_CANNOT") && error.message.includes("HTTP/2"),
    );
    await using balancer = await AnyBalancer.open({
      ...{ engine: "embedded", settings: { tls: site }, servers: [backend] },
    });
    const { status, httpVersion } = await curl(balancer.port, { more: ["--http2"] });
    assert.deepEqual([status, httpVersion], [200, "1.1"]);
  });
});
