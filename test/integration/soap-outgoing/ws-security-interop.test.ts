import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Client, createClientAsync, WSSecurity, WSSecurityCert } from "soap";
import { WorkerProcess } from "../data-plane/worker-process.ts";
import { sealed } from "../security/sealed-object.ts";
import { openSoap, refusal } from "./open-soap.ts";
import { issueCertificates, type TestKeys } from "./test-keys.ts";
import { callWithZeep, type ZeepTask } from "./zeep.ts";

const source = `
export const whoami = defineService({
  name: "whoami",
  input: z.object({ text: z.string() }),
  output: z.object({ name: z.string(), subject: z.string().optional(), text: z.string() }),
  handle: ({ input, request }) => ({
    name: request.principal.name,
    subject: request.principal.subject,
    text: input.text,
  }),
});`;

let directory: string;
let keys: TestKeys;
let worker: WorkerProcess;
const text = "Zoë & <Co>\n  two lines";
const calls: ZeepTask["calls"] = [{ operation: "Whoami", input: { text } }];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-wss-"));
  keys = await issueCertificates();
  for (const [name, key] of Object.entries(keys)) {
    await writeFile(join(directory, `${name}.key`), key.key, { mode: 0o600 });
    await writeFile(join(directory, `${name}.pem`), key.certificate);
  }
  worker = await WorkerProcess.start();
  const channel = (path: string, security: string) =>
    sealed("SoapChannel", path.slice(1), {
      path,
      service: "whoami",
      security: [security],
      wsdl: "public",
    });
  const { certificate } = keys.client;
  const { failures } = await worker.configure({
    bundles: [await worker.bundle("whoami.ts", source)],
    upserted: [
      await sealed("WsSecurity", "login", { username: "ana", password: "s3crét" }),
      await sealed("WsSecurity", "signed", { certificates: certificate }),
      await sealed("WsSecurity", "issued", {
        certificates: keys.ca.certificate,
        trust: "issuer",
      }),
      await sealed("WsSecurity", "sha1", { certificates: certificate, allowSha1: true }),
      await sealed("WsSecurity", "both", {
        username: "ana",
        password: "s3crét",
        certificates: certificate,
      }),
      await channel("/login", "login"),
      await channel("/signed", "signed"),
      await channel("/issued", "issued"),
      await channel("/sha1", "sha1"),
      await channel("/both", "both"),
    ],
  });
  assert.deepEqual(failures, []);
});
after(async () => {
  await worker?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const wsdlAt = (path: string) => `${worker.url}${path}?wsdl`;
const file = (name: string) => join(directory, name);

describe("A channel that asks for a UsernameToken", () => {
  for (const digest of [true, false]) {
    it(`is called by zeep with a ${digest ? "digest" : "text"}`, async () => {
      const username = { name: "ana", password: "s3crét", digest };
      const [outcome] = await callWithZeep({ wsdl: wsdlAt("/login"), calls, username });
      assert.deepEqual(outcome, { answer: { name: "login", subject: null, text } });
      const wrong = { ...username, password: "other" };
      const [refused] = await callWithZeep({ wsdl: wsdlAt("/login"), calls, username: wrong });
      assert.match(refused?.message ?? "", /Credentials are missing or not valid/);
    });

    it(`is called by the soap package with a ${digest ? "digest" : "text"}`, async () => {
      const client: Client = await createClientAsync(wsdlAt("/login"));
      client.setSecurity(
        new WSSecurity("ana", "s3crét", {
          passwordType: digest ? "PasswordDigest" : "PasswordText",
          hasTimeStamp: true,
        }),
      );
      const [answer] = await client["WhoamiAsync"]({ text: "hello" });
      assert.equal(answer.name, "login");
    });
  }

  for (const [type, version] of [["digest", "11"], ["text", "12"]] as const) {
    it(`is called by a SoapOutgoing with a ${type}`, async () => {
      const wsdl = await (await fetch(wsdlAt("/login"))).text();
      const login = { wssUsername: "ana", wssPassword: "s3crét", wssPasswordType: type };
      await using erp = await openSoap({ wsdl, port: `LoginSoap${version}`, ...login });
      assert.deepEqual(await erp.soap.call("Whoami", { text }), { name: "login", text });
      await using wrong = await openSoap({ wsdl, ...login, wssPassword: "no" });
      const error = await refusal(wrong.soap.call("Whoami", { text }));
      assert.equal(error.code, "SOAP_FAULT");
      assert.ok(!JSON.stringify(error).includes("s3cr"));
    });
  }
});

describe("A channel that asks for a signature", () => {
  const signing = () => ({ wssCertificate: keys.client.certificate, wssKey: keys.client.key });

  it("is called by a SoapOutgoing", async () => {
    for (const path of ["/signed", "/issued"]) {
      const wsdl = await (await fetch(wsdlAt(path))).text();
      await using erp = await openSoap({ wsdl, ...signing() });
      const answer = await erp.soap.call("Whoami", { text });
      assert.deepEqual(answer, { name: path.slice(1), subject: "CN=client", text });
    }
  });

  it("is called by a SoapOutgoing that signs and logs in", async () => {
    const wsdl = await (await fetch(wsdlAt("/both"))).text();
    const login = { wssUsername: "ana", wssPassword: "s3crét" };
    await using erp = await openSoap({ wsdl, ...signing(), ...login });
    assert.deepEqual(await erp.soap.call("Whoami", { text }), {
      name: "both",
      subject: "CN=client",
      text,
    });
    await using half = await openSoap({ wsdl, ...login });
    assert.equal((await refusal(half.soap.call("Whoami", { text }))).code, "SOAP_FAULT");
  });

  it("is called by zeep, whose SHA-1 it takes only where it is told to", async () => {
    const signature = { key: file("client.key"), certificate: file("client.pem") };
    const [outcome] = await callWithZeep({ wsdl: wsdlAt("/signed"), calls, signature });
    assert.deepEqual(outcome, { answer: { name: "signed", subject: "CN=client", text } });
    const old = { ...signature, sha256: false };
    const [refused] = await callWithZeep({ wsdl: wsdlAt("/signed"), calls, signature: old });
    assert.match(refused?.message ?? "", /Credentials are missing/);
    const [taken] = await callWithZeep({ wsdl: wsdlAt("/sha1"), calls, signature: old });
    assert.ok(taken?.answer, JSON.stringify(taken));
  });

  it("is called by the soap package", async () => {
    const client: Client = await createClientAsync(wsdlAt("/signed"));
    const security = new WSSecurityCert(keys.client.key, keys.client.certificate, "", {
      hasTimeStamp: true,
      signatureAlgorithm: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
      digestAlgorithm: "http://www.w3.org/2001/04/xmlenc#sha256",
    });
    client.setSecurity(security);
    const [answer] = await client["WhoamiAsync"]({ text: "hello" });
    assert.equal(answer.subject, "CN=client");
  });

  it("keeps strangers out", async () => {
    const wsdl = await (await fetch(wsdlAt("/signed"))).text();
    const { certificate, key } = keys.stranger;
    await using erp = await openSoap({ wsdl, wssCertificate: certificate, wssKey: key });
    const error = await refusal(erp.soap.call("Whoami", { text }));
    assert.match(error.message, /Credentials are missing or not valid/);
  });
});
