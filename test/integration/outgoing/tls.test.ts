import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { after, before, describe, it } from "node:test";
import { createAuthority } from "../../../src/ca/authority.ts";
import { issueCertificate } from "../../../src/ca/issue.ts";
import { isPlatformError, type PlatformError } from "../../../src/errors/platform-error.ts";
import { sendJson, startPeer } from "./http-peer.ts";
import { openRest } from "./open-rest.ts";

interface Pems {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

let directory: string;
let server: Pems;
let client: Pems;
let stranger: Pems;

async function issue(
  authority: string,
  { role, hosts }: { readonly role: "server" | "operator"; readonly hosts: readonly string[] },
): Promise<Pems> {
  const identity = { cluster: "test", role, name: "peer" };
  const issued = await issueCertificate(authority, { identity, hosts: [...hosts] });
  const [cert, key, ca] = await Promise.all(
    [issued.certPath, issued.keyPath, issued.caPath].map((path) => readFile(path, "utf8")),
  );
  return { cert: cert!, key: key!, ca: ca! };
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-tls-"));
  const [ours, theirs] = [join(directory, "ours"), join(directory, "theirs")];
  await createAuthority(ours);
  await createAuthority(theirs);
  server = await issue(ours, { role: "server", hosts: ["localhost", "127.0.0.1"] });
  client = await issue(ours, { role: "operator", hosts: [] });
  stranger = await issue(theirs, { role: "operator", hosts: [] });
});
after(() => rm(directory, { recursive: true, force: true }));

const answer = (request: IncomingMessage, response: Parameters<typeof sendJson>[0]) => {
  const { socket } = request;
  const subject = socket instanceof TLSSocket ? socket.getPeerCertificate().subject : undefined;
  sendJson(response, { client: subject?.CN ?? null });
};

async function refusal(spec: Readonly<Record<string, unknown>>): Promise<PlatformError> {
  await using crm = await openRest({ retries: { firstMs: 1, maxMs: 1 }, ...spec });
  const error = await crm.rest.get().then(() => undefined, (error: unknown) => error);
  assert.ok(isPlatformError(error), `not an error of the platform: ${error}`);
  assert.ok(!JSON.stringify(error).includes("PRIVATE"));
  return error;
}

describe("A RestOutgoing over TLS", () => {
  it("trusts the authority it is told to, and keeps its connection", async () => {
    await using peer = await startPeer(answer, { tls: server });
    await using crm = await openRest({ address: peer.url, tlsCa: server.ca });

    for (let count = 0; count < 5; count++) {
      assert.deepEqual((await crm.rest.post("/", {})).data, { client: null });
    }
    assert.equal(peer.connections, 1);
  });

  it("refuses a certificate of an authority that it does not know, and sends nothing", async () => {
    await using peer = await startPeer(answer, { tls: server });

    for (const spec of [{}, { tlsCa: stranger.ca }]) {
      const error = await refusal({ address: peer.url, ...spec });
      assert.deepEqual([error.code, error.status], ["OUTGOING_UNTRUSTED", 502]);
      assert.deepEqual(error.details, { mayHaveRun: false });
    }
    assert.deepEqual(peer.requests, []);
    // One attempt each: another one would have ended the same way.
    assert.equal(peer.connections, 2);
  });

  it("holds the certificate's name against the host, or against tlsServerName", async () => {
    await using peer = await startPeer(answer, { tls: server });
    const trusted = { address: peer.url, tlsCa: server.ca };

    const error = await refusal({ ...trusted, tlsServerName: "crm.example.com" });
    assert.equal(error.code, "OUTGOING_UNTRUSTED");
    assert.match(error.message, /crm\.example\.com/);
    await using named = await openRest({ ...trusted, tlsServerName: "localhost" });
    assert.equal((await named.rest.get()).status, 200);
    assert.equal(peer.requests.length, 1);
  });

  it("believes anybody only when it is told to", async () => {
    await using peer = await startPeer(answer, { tls: server });
    await using crm = await openRest({ address: peer.url, tlsVerify: false });

    assert.equal((await crm.rest.get()).status, 200);
  });

  it("shows its certificate, and is refused without the right one", async () => {
    const tls = { ...server, requestCert: true, rejectUnauthorized: true };
    await using peer = await startPeer(answer, { tls });
    const trusted = { address: peer.url, tlsCa: server.ca };
    const shown = ({ cert, key }: Pems) => ({ tlsCertificate: cert, tlsKey: key });

    await using crm = await openRest({ ...trusted, ...shown(client) });
    assert.deepEqual((await crm.rest.get()).data, { client: "peer" });
    for (const spec of [trusted, { ...trusted, ...shown(stranger) }]) {
      const error = await refusal(spec);
      assert.match(error.code, /^OUTGOING_(UNTRUSTED|UNREACHABLE)$/);
    }
    assert.equal(peer.requests.length, 1);
  });

  it("is not opened with a key that does not belong to its certificate", async () => {
    const address = "https://127.0.0.1:1";
    for (
      const spec of [
        { tlsCertificate: client.cert, tlsKey: stranger.key },
        { tlsCertificate: client.cert },
        { tlsKey: client.key },
        { tlsCertificate: client.cert, tlsKey: "no key" },
      ]
    ) {
      await assert.rejects(
        openRest({ address, ...spec }),
        (error) => isPlatformError(error, "OUTGOING_UNUSABLE"),
      );
    }
    await assert.rejects(openRest({ address, tlsCa: "no certificate" }), /certificate in PEM/);
  });
});
