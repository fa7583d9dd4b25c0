import "reflect-metadata"; // must come before @peculiar/x509
import {
  type JsonGeneralName,
  Name,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, it } from "node:test";
import { silentLogger } from "../../telemetry/logger.ts";
import { generateClusterKey, parseClusterKey } from "../cluster-key.ts";
import { GuardSource } from "../guard-set.ts";
import type { Principal } from "../principal.ts";
import { clientCertificate } from "./index.ts";

const at = "2026-01-01T00:00:00.000Z";
const day = 86_400_000;
const subject: ConstructorParameters<typeof Name>[0] = [
  { CN: [{ utf8String: "crm-client" }] },
  { O: [{ utf8String: "Example, Inc.\nCN=admin" }] },
];
const names: JsonGeneralName[] = [
  { type: "dns", value: "Client.Example.com" },
  { type: "url", value: "spiffe://example/client" },
  { type: "ip", value: "192.0.2.7" },
  { type: "email", value: "crm@example.com" },
];

async function certificate(validity = { from: -day, to: day }): Promise<Uint8Array> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const made = await X509CertificateGenerator.create({
    serialNumber: "01",
    subject: new Name(subject),
    issuer: new Name([{ CN: [{ utf8String: "Partners" }] }]),
    notBefore: new Date(Date.now() + validity.from),
    notAfter: new Date(Date.now() + validity.to),
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [new SubjectAlternativeNameExtension(names)],
  });
  return new Uint8Array(made.rawData);
}

const field = (der: Uint8Array) => `:${Buffer.from(der).toString("base64")}:`;

async function ask(
  spec: Readonly<Record<string, unknown>>,
  clientCert: string | undefined,
): Promise<Principal | undefined> {
  const key = parseClusterKey(generateClusterKey());
  const source = new GuardSource({ key, logger: silentLogger });
  const definition = await source.prepare({
    kind: "ClientCertificate",
    name: "partner",
    spec: clientCertificate.schema.parse(spec),
    revision: 1,
    createdAt: at,
    updatedAt: at,
    updatedBy: "test",
  });
  const guard = source.guards([definition]).guard(["partner"])!; // names are not "none"
  const request = {
    headers: new Headers(),
    remoteAddress: "203.0.113.7",
    query: () => undefined,
    clientCertificate: () => clientCert,
  };
  const first = await guard.check(request);
  assert.deepEqual(await guard.check(request), first); // what is remembered says the same
  return first;
}

describe("A ClientCertificate definition", () => {
  let der: Uint8Array;
  let fingerprint: string;
  before(async () => {
    der = await certificate();
    fingerprint = createHash("sha256").update(der).digest("hex");
  });

  const colons = (hex: string) => hex.toUpperCase().match(/../g)!.join(":");
  const judged: readonly [string, () => Readonly<Record<string, unknown>>, boolean][] = [
    ["a subject's field", () => ({ subject: { CN: "crm-client" } }), true],
    ["a field with a comma and a line break", () => ({
      subject: { O: "Example, Inc.\nCN=admin" },
    }), true],
    ["a name that only stands inside another field", () => ({ subject: { CN: "admin" } }), false],
    ["a subject in other letters", () => ({ subject: { CN: "CRM-Client" } }), false],
    ["half a subject", () => ({ subject: { CN: "crm" } }), false],
    ["one of two fields", () => ({ subject: { CN: "crm-client", OU: "x" } }), false],
    ["the issuer's name", () => ({ issuer: { CN: "Partners" } }), true],
    ["another issuer", () => ({ issuer: { CN: "crm-client" } }), false],
    ["a host name, whatever its case", () => ({
      alternativeNames: ["DNS:nobody.example.com", "DNS:client.EXAMPLE.com"],
    }), true],
    ["a URI", () => ({ alternativeNames: ["URI:spiffe://example/client"] }), true],
    ["an address", () => ({ alternativeNames: ["IP:192.0.2.7"] }), true],
    ["a mail address", () => ({ alternativeNames: ["email:crm@example.com"] }), true],
    ["a URI given as a host name", () => ({
      alternativeNames: ["DNS:spiffe://example/client"],
    }), false],
    ["a domain above", () => ({ alternativeNames: ["DNS:example.com"] }), false],
    ["its fingerprint", () => ({ fingerprints: [fingerprint] }), true],
    ["its fingerprint with colons", () => ({ fingerprints: [colons(fingerprint)] }), true],
    ["another fingerprint", () => ({ fingerprints: [fingerprint.replace(/./g, "0")] }), false],
    ["all conditions", () => ({
      subject: { CN: "crm-client" },
      issuer: { CN: "Partners" },
      alternativeNames: ["IP:192.0.2.7"],
      fingerprints: [fingerprint],
    }), true],
    ["all conditions but one", () => ({
      subject: { CN: "crm-client" },
      issuer: { CN: "Others" },
      fingerprints: [fingerprint],
    }), false],
  ];
  for (const [name, spec, expected] of judged) {
    it(`${expected ? "takes" : "refuses"} ${name}`, async () => {
      assert.equal(await ask(spec(), field(der)) !== undefined, expected);
    });
  }

  it("says who it let in", async () => {
    const principal = await ask({ subject: { CN: "crm-client" }, roles: ["a"] }, field(der));
    assert.deepEqual([principal?.kind, principal?.name], ["ClientCertificate", "partner"]);
    assert.match(principal?.subject ?? "", /^CN=crm-client, O=/);
    assert.deepEqual(principal?.roles, ["a"]);
  });

  it("refuses certificates that are not valid yet, or not any more", async () => {
    const spec = { subject: { CN: "crm-client" } };
    assert.equal(await ask(spec, field(await certificate({ from: day, to: 2 * day }))), undefined);
    assert.equal(
      await ask(spec, field(await certificate({ from: -2 * day, to: -day }))),
      undefined,
    );
  });

  it("refuses whatever is not one certificate", async () => {
    const good = field(der);
    const fields = [
      undefined,
      "",
      ":",
      "::",
      ":AAAA:",
      ":%%%:",
      good.slice(1),
      good.slice(0, -1),
      good.replaceAll(":", ""),
      `${good}, ${good}`,
      `${good};a=1`,
      `"${good}"`,
      good.slice(0, 100) + ":",
      `:${"A".repeat(100_000)}:`,
      `:${Buffer.from("-----BEGIN CERTIFICATE-----").toString("base64")}:`,
      'Subject="CN=crm-client"',
    ];
    for (const one of fields) {
      const answer = await ask({ subject: { CN: "crm-client" } }, one);
      assert.equal(answer, undefined, String(one).slice(0, 50));
    }
  });

  it("cannot be one without a condition", () => {
    for (const spec of [{}, { roles: ["a"] }, { subject: {} }, { fingerprints: ["ab"] }]) {
      assert.equal(clientCertificate.schema.safeParse(spec).success, false, JSON.stringify(spec));
    }
  });
});
