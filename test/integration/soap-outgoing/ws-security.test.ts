import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, it } from "node:test";
import type { StoredObject } from "../../../src/catalog/kind.ts";
import { xmlDeclaration } from "../../../src/xml/render.ts";
import { soap11Namespace } from "../../../src/xml/namespaces.ts";
import { parseXml } from "../../../src/xml/parse.ts";
import type { SecurityRequest } from "../../../src/security/authenticator.ts";
import { generateClusterKey, parseClusterKey } from "../../../src/security/cluster-key.ts";
import type { Guard } from "../../../src/security/guard.ts";
import { GuardSource } from "../../../src/security/guard-set.ts";
import type { Principal } from "../../../src/security/principal.ts";
import { sealSpec } from "../../../src/security/secrets.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import type { Kind } from "../../../src/catalog/kind.ts";
import { wsSecurity } from "../../../src/security/ws-security/index.ts";
import {
  passwordDigest,
  passwordText,
  wsseNamespace,
  wsuNamespace,
} from "../../../src/security/ws-security/names.ts";
import {
  renderCertificateToken,
  type SigningKey,
  signMessage,
} from "../../../src/security/ws-security/sign-message.ts";
import { issueCertificates, type TestKeys } from "./test-keys.ts";
import { renderUsernameToken } from "../../../src/security/ws-security/username-token.ts";

const key = parseClusterKey(generateClusterKey());

async function guardOf(spec: Readonly<Record<string, unknown>>, name = "erp"): Promise<Guard> {
  const at = "2026-01-01T00:00:00.000Z";
  // A kind of a narrower schema.
  const kind = wsSecurity as Kind;
  const sealed = await sealSpec(kind, kind.schema.parse(spec), { key, name });
  const stored: StoredObject = {
    kind: "WsSecurity",
    name,
    spec: sealed,
    revision: 1,
    createdAt: at,
    updatedAt: at,
    updatedBy: "test",
  };
  const source = new GuardSource({ key, logger: createLogger() });
  return source.guards([await source.prepare(stored)]).guard([name])!;
}

const request: SecurityRequest = {
  headers: new Headers(),
  remoteAddress: "127.0.0.1",
  query: () => undefined,
  clientCertificate: () => undefined,
};

async function checkText(guard: Guard, text: string): Promise<Principal | undefined> {
  return await guard.checkMessage({ envelope: parseXml(text), text }, request);
}

const content = '<a:pay xmlns:a="urn:a"><a:to>Ana &amp; Bo</a:to><a:amount>5</a:amount></a:pay>';

function envelope(security: string, body = content, more = ""): string {
  return `${xmlDeclaration}<soap:Envelope xmlns:soap="${soap11Namespace}" xmlns:wsu="${wsuNamespace}">` +
    `<soap:Header><wsse:Security xmlns:wsse="${wsseNamespace}">${security}</wsse:Security>${more}` +
    `</soap:Header><soap:Body wsu:Id="body">${body}</soap:Body></soap:Envelope>`;
}

interface Token {
  readonly username?: string;
  readonly password?: string;
  readonly created?: string | undefined;
  readonly nonce?: string | undefined;
  readonly type?: string;
}

let nonces = 0;

/** A token, digested here by the words of the specification. */
function token(options: Token): string {
  const { username = "ana", password = "s3cret", type = passwordDigest } = options;
  const created = "created" in options ? options.created : new Date().toISOString();
  const nonce = "nonce" in options ? options.nonce : Buffer.from(`n${++nonces}`).toString("base64");
  const sha1 = createHash("sha1").update(Buffer.from(nonce ?? "", "base64")).update(created ?? "")
    .update(password).digest("base64");
  const shown = type === passwordDigest ? sha1 : password;
  return `<wsse:UsernameToken><wsse:Username>${username}</wsse:Username>` +
    `<wsse:Password Type="${type}">${shown}</wsse:Password>` +
    (nonce === undefined ? "" : `<wsse:Nonce>${nonce}</wsse:Nonce>`) +
    (created === undefined ? "" : `<wsu:Created>${created}</wsu:Created>`) +
    "</wsse:UsernameToken>";
}

const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

describe("WsSecurity with a UsernameToken", () => {
  const spec = { username: "ana", password: "s3cret", roles: ["clerk"] };

  it("lets in whoever shows the digest, or the text", async () => {
    const guard = await guardOf(spec);
    for (const type of ["digest", "text"] as const) {
      const shown = renderUsernameToken({
        username: "ana",
        password: "s3cret",
        type,
        now: new Date(),
      });
      const principal = await checkText(guard, envelope(shown));
      assert.deepEqual([principal?.kind, principal?.name, principal?.roles], [
        "WsSecurity",
        "erp",
        ["clerk"],
      ]);
    }
    assert.ok(await checkText(guard, envelope(token({}))));
    assert.ok(guard.needsMessage);
  });

  it("takes a nonce once", async () => {
    const guard = await guardOf(spec);
    const text = envelope(token({}));
    assert.ok(await checkText(guard, text));
    assert.equal(await checkText(guard, text), undefined);
    // White space in the nonce makes no other nonce of it.
    const spaced = text.replace(/<wsse:Nonce>(.)/, "<wsse:Nonce>$1 ");
    assert.equal(await checkText(guard, spaced), undefined);
  });

  it("takes a token without nonce and Created only as text", async () => {
    const guard = await guardOf(spec);
    const bare = { nonce: undefined, created: undefined };
    assert.ok(await checkText(guard, envelope(token({ type: passwordText, ...bare }))));
    assert.equal(await checkText(guard, envelope(token(bare))), undefined);
  });

  const wrong: readonly (readonly [name: string, security: () => string])[] = [
    ["nothing", () => ""],
    ["another password", () => token({ password: "S3cret" })],
    ["another text", () => token({ password: "s3cret ", type: passwordText })],
    ["another name", () => token({ username: "bob" })],
    ["an old token", () => token({ created: ago(400_000) })],
    ["a token of the future", () => token({ created: ago(-120_000) })],
    ["a token without Created", () => token({ created: undefined })],
    ["a token without nonce", () => token({ nonce: undefined })],
    ["an empty nonce", () => token({ nonce: "" })],
    ["a Created that is no time", () => token({ created: "yesterday" })],
    ["an unknown type of password", () => token({ type: "urn:plain" })],
    ["two tokens", () => token({}) + token({ username: "bob" })],
    ["two passwords", () => token({}).replace(/(<wsse:Password.*<\/wsse:Password>)/, "$1$1")],
    ["two names", () => token({}).replace(/(<wsse:Username>.*<\/wsse:Username>)/, "$1$1")],
    [
      "an expired Timestamp",
      () => `<wsu:Timestamp><wsu:Created>${ago(400_000)}</wsu:Created></wsu:Timestamp>${token({})}`,
    ],
    [
      "two Timestamps",
      () =>
        `<wsu:Timestamp><wsu:Created>${ago(0)}</wsu:Created></wsu:Timestamp>`.repeat(2) + token({}),
    ],
    [
      "a token in another namespace",
      () => token({}).replaceAll("wsse:UsernameToken", "wsu:UsernameToken"),
    ],
  ];
  for (const [name, security] of wrong) {
    it(`keeps ${name} out`, async () => {
      assert.equal(await checkText(await guardOf(spec), envelope(security())), undefined);
    });
  }

  it("keeps messages with two Security headers out", async () => {
    const guard = await guardOf(spec);
    const header = `<wsse:Security xmlns:wsse="${wsseNamespace}">${token({})}</wsse:Security>`;
    assert.equal(await checkText(guard, envelope(token({}), content, header)), undefined);
  });

  it("heeds passwordType", async () => {
    const digest = await guardOf({ ...spec, passwordType: "digest" });
    assert.equal(await checkText(digest, envelope(token({ type: passwordText }))), undefined);
    const text = await guardOf({ ...spec, passwordType: "text" });
    assert.equal(await checkText(text, envelope(token({}))), undefined);
  });

  it("makes those who guess wait", async () => {
    const guard = await guardOf(spec);
    await assert.rejects(
      async () => {
        for (let count = 0; count < 1_000; count++) {
          await checkText(guard, envelope(token({ password: `p${count}` })));
        }
      },
      { code: "REQUEST_TOO_MANY_ATTEMPTS" },
    );
  });
});

describe("WsSecurity with a signature", () => {
  let keys: TestKeys;
  let guard: Guard;

  before(async () => {
    keys = await issueCertificates();
    guard = await guardOf({ certificates: keys.client.certificate });
  });

  function signed(by: SigningKey = keys.client, body = content, created = ago(0)): string {
    const security = renderCertificateToken(by) +
      `<wsu:Timestamp wsu:Id="timestamp"><wsu:Created>${created}</wsu:Created></wsu:Timestamp>`;
    return signMessage(envelope(security, body), by);
  }

  it("lets in whoever signs, once, and says the certificate's subject", async () => {
    const text = signed();
    const principal = await checkText(guard, text);
    assert.equal(principal?.subject, "CN=client");
    assert.equal(await checkText(guard, text), undefined);
  });

  it("trusts issuers when it is told to", async () => {
    const issuer = await guardOf({ certificates: keys.ca.certificate, trust: "issuer" });
    assert.ok(await checkText(issuer, signed()));
    assert.equal(await checkText(issuer, signed(keys.stranger)), undefined);
    assert.equal(await checkText(issuer, signed(keys.expired)), undefined);
    assert.equal(await checkText(issuer, signed(keys.ca)), undefined, "the authority itself");
    const pinned = await guardOf({ certificates: keys.ca.certificate });
    assert.equal(await checkText(pinned, signed()), undefined);
  });

  it("asks for both when both are said", async () => {
    const both = await guardOf({
      username: "ana",
      password: "s3cret",
      certificates: keys.client.certificate,
    });
    assert.equal(await checkText(both, signed()), undefined);
    const security = renderCertificateToken(keys.client) + token({}) +
      `<wsu:Timestamp wsu:Id="timestamp"><wsu:Created>${ago(0)}</wsu:Created></wsu:Timestamp>`;
    assert.ok(await checkText(both, signMessage(envelope(security), keys.client)));
    assert.equal(await checkText(both, envelope(token({}))), undefined);
  });

  const body = /<soap:Body.*<\/soap:Body>/;
  const tampered: readonly (readonly [name: string, change: (text: string) => string])[] = [
    ["another amount", (text) => text.replace(">5<", ">6<")],
    ["another member", (text) => text.replace("</a:pay>", "<a:more/></a:pay>")],
    ["another attribute", (text) => text.replace("<a:pay ", '<a:pay fast="1" ')],
    ["a later Timestamp", (text) => text.replace(/Created>[^<]*/, `Created>${ago(-1_000)}`)],
    ["no Timestamp", (text) => text.replace(/<wsu:Timestamp.*<\/wsu:Timestamp>/, "")],
    ["no signature", (text) => text.replace(/<ds:Signature .*<\/ds:Signature>/, "")],
    ["another signature value", (text) => text.replace(/(SignatureValue>)..../, "$1AAAA")],
    ["another digest", (text) => text.replace(/(DigestValue>)..../, "$1AAAA")],
    ["two signatures", (text) => text.replace(/(<ds:Signature .*<\/ds:Signature>)/, "$1$1")],
    ["no token", (text) => text.replace(/<wsse:BinarySecurityToken.*Token>(?=<wsu)/, "")],
    ["the certificate of somebody else", (text) =>
      text.replace(
        /(<wsse:BinarySecurityToken[^>]*>)[^<]*/,
        `$1${renderCertificateToken(keys.stranger).replace(/<[^>]*>/g, "")}`,
      )],
    // The signed body moved away, another one in its place.
    ["a wrapped body", (text) => {
      const original = body.exec(text)![0];
      const forged = original.replace('wsu:Id="body"', 'wsu:Id="other"').replace(">5<", ">999<");
      return text.replace(body, forged)
        .replace("</soap:Header>", `<w xmlns="urn:w">${original}</w></soap:Header>`);
    }],
    ["a wrapped body without an id", (text) => {
      const original = body.exec(text)![0];
      const forged = original.replace(' wsu:Id="body"', "").replace(">5<", ">999<");
      return text.replace(body, forged)
        .replace("</wsse:Security>", `<w xmlns="urn:w">${original}</w></wsse:Security>`);
    }],
    ["a body with the id of the signed one", (text) => {
      const original = body.exec(text)![0];
      return text.replace(body, original.replace(">5<", ">999<"))
        .replace("</soap:Header>", `<w xmlns="urn:w">${original}</w></soap:Header>`);
    }],
    ["two bodies", (text) => {
      const original = body.exec(text)![0];
      const forged = original.replace('wsu:Id="body"', 'wsu:Id="other"').replace(">5<", ">999<");
      return text.replace(original, forged + original);
    }],
    ["an id of another kind", (text) => {
      const original = body.exec(text)![0];
      const forged = original.replace('wsu:Id="body"', 'ID="body"').replace(">5<", ">999<");
      return text.replace(body, forged)
        .replace("</soap:Header>", `<w xmlns="urn:w">${original}</w></soap:Header>`);
    }],
    ["a comment that splits a text", (text) =>
      text.replace("Ana", "Bob<!--")
        .replace(" &amp; Bo", "--> &amp; Bo")],
    [
      "a signature that is no RSA",
      (text) => text.replace(/xmldsig-more#rsa-sha256/, "xmldsig-more#hmac-sha256"),
    ],
    [
      "SHA-1 in the name of the signature",
      (text) =>
        text.replace(
          "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
          "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        ),
    ],
    [
      "a transform",
      (text) =>
        text.replaceAll(
          /(<ds:Transform Algorithm=")[^"]*/g,
          "$1http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        ),
    ],
    ["a reference to the whole document", (text) => text.replace('URI="#body"', 'URI=""')],
    ["a reference with a quote", (text) => text.replace('URI="#body"', `URI="#body' or '1"`)],
    ["a document type", (text) => text.replace("?>\n", "?>\n<!DOCTYPE a>")],
  ];
  for (const [name, change] of tampered) {
    it(`keeps a message with ${name} out`, async () => {
      const text = signed();
      const changed = change(text);
      assert.notEqual(changed, text);
      const outcome = await checkText(guard, changed).catch((error) => error.code);
      assert.ok(outcome === undefined || outcome === "XML_FORBIDDEN", JSON.stringify(outcome));
    });
  }

  it("takes a signature without a Timestamp only where it is told to, and once", async () => {
    const security = renderCertificateToken(keys.client) + '<a wsu:Id="timestamp"/>';
    const text = signMessage(envelope(security), keys.client);
    assert.equal(await checkText(guard, text), undefined);
    const certificates = keys.client.certificate;
    const lax = await guardOf({ certificates, requireTimestamp: false });
    assert.ok(await checkText(lax, text));
    assert.equal(await checkText(lax, text), undefined);
  });

  it("keeps a signature of the Timestamp alone out", async () => {
    const text = signed();
    const only = text.replace(/<ds:Reference URI="#body">.*?<\/ds:Reference>/, "");
    assert.notEqual(only, text);
    assert.equal(await checkText(guard, only), undefined);
  });

  it("keeps strangers, old and expired ones out", async () => {
    assert.equal(await checkText(guard, signed(keys.stranger)), undefined);
    assert.equal(await checkText(guard, signed(keys.client, content, ago(400_000))), undefined);
    const expired = await guardOf({ certificates: keys.expired.certificate });
    assert.equal(await checkText(expired, signed(keys.expired)), undefined);
  });
});

describe("WsSecurity", () => {
  it("needs something to ask for", () => {
    assert.equal(wsSecurity.schema.safeParse({}).success, false);
    assert.equal(wsSecurity.schema.safeParse({ certificates: "x" }).success, false);
  });
});
