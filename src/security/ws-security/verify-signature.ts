import { X509Certificate } from "node:crypto";
import { DOMParser } from "@xmldom/xmldom";
import { SignedXml } from "xml-crypto";
import type { XmlElement } from "../../xml/element.ts";
import { parseXml } from "../../xml/parse.ts";
import { attributeOf, childElement, childElements, textOf } from "../../xml/query.ts";
import type { SecuredMessage } from "../authenticator.ts";
import { isTrusted, type TrustRules } from "./certificates.ts";
import { dsNamespace, exclusiveC14n, wsseNamespace, wsuNamespace } from "./names.ts";
import type { SecuredParts } from "./security-header.ts";

export interface SignatureRules extends TrustRules {
  readonly allowSha1: boolean;
}

/** References of one signature; each is looked up and digested. */
const referencesMax = 10;

const sha1Algorithms = {
  digest: `${dsNamespace}sha1`,
  signature: `${dsNamespace}rsa-sha1`,
};

/**
 * The certificate whose key signed this very Body, and the Timestamp when there is one; undefined
 * for whatever is wrong with the signature or the certificate. What was signed is compared with
 * what will be used, so that nothing moved, doubled or read differently by another parser passes.
 */
export function verifySignature(
  { text }: SecuredMessage,
  { security, body, timestamp }: SecuredParts,
  rules: SignatureRules,
): X509Certificate | undefined {
  const signatures = childElements(security).filter((one) =>
    one.name === "Signature" && one.namespace === dsNamespace
  );
  const [signature] = signatures;
  if (signature === undefined || signatures.length !== 1) return undefined;
  if (!isSimple(signature)) return undefined;
  const certificate = signerOf(signature, security, rules);
  if (certificate === undefined) return undefined;
  const signed = signedElements(text, certificate, rules.allowSha1);
  if (signed === undefined) return undefined;
  const needed = timestamp === undefined ? [body] : [body, timestamp];
  return needed.every((one) => signed.some((other) => isEqual(one, other)))
    ? certificate
    : undefined;
}

const canonicalizations = new Set([
  exclusiveC14n,
  "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
]);
/** Takes the signature itself out, which is in none of what is signed; some toolkits say it. */
const enveloped = `${dsNamespace}enveloped-signature`;

/** No more than what WS-Security needs: references to ids, canonicalised and nothing else. */
function isSimple(signature: XmlElement): boolean {
  const info = childElement(signature, "SignedInfo", dsNamespace);
  const references = info === undefined
    ? []
    : childElements(info).filter(({ name }) => name === "Reference");
  if (references.length === 0 || references.length > referencesMax) return false;
  return references.every((reference) => {
    const uri = attributeOf(reference, "URI") ?? "";
    const steps = childElement(reference, "Transforms", dsNamespace);
    const all = steps === undefined ? [] : childElements(steps);
    const names = all.map((one) => attributeOf(one, "Algorithm") ?? "");
    return /^#[\w.:-]+$/.test(uri) && canonicalizations.has(names.at(-1) ?? "") &&
      names.length <= 2 && names.slice(0, -1).every((name) => name === enveloped);
  });
}

/** The trusted certificate that the signature names. */
function signerOf(
  signature: XmlElement,
  security: XmlElement,
  rules: SignatureRules,
): X509Certificate | undefined {
  const named = namedCertificate(signature, security);
  if (named === "none") {
    // Named in a way that is no certificate: with one that is pinned, there is no doubt.
    const [only, another] = rules.certificates;
    const isClear = rules.trust === "pinned" && only !== undefined && another === undefined;
    return isClear && isTrusted(only, rules) ? only : undefined;
  }
  return named !== undefined && isTrusted(named, rules) ? named : undefined;
}

function namedCertificate(
  signature: XmlElement,
  security: XmlElement,
): X509Certificate | "none" | undefined {
  const info = childElement(signature, "KeyInfo", dsNamespace);
  const reference = info && childElement(info, "SecurityTokenReference", wsseNamespace);
  const uri = reference &&
    attributeOf(childElement(reference, "Reference", wsseNamespace) ?? reference, "URI");
  const data = childElement(reference ?? info ?? signature, "X509Data", dsNamespace);
  const inline = data && childElement(data, "X509Certificate", dsNamespace);
  if (uri === undefined && inline === undefined) return "none";
  const token = uri === undefined
    ? inline
    : childElements(security).find((one) =>
      one.name === "BinarySecurityToken" && one.namespace === wsseNamespace &&
      `#${attributeOf(one, "Id", wsuNamespace)}` === uri
    );
  if (token === undefined) return undefined;
  try {
    return new X509Certificate(Buffer.from(textOf(token).replace(/\s+/g, ""), "base64"));
  } catch {
    return undefined;
  }
}

/** What the signature signs, as it was signed; undefined when it does not hold. */
function signedElements(
  text: string,
  certificate: X509Certificate,
  allowSha1: boolean,
): readonly XmlElement[] | undefined {
  try {
    const document = new DOMParser().parseFromString(text, "text/xml");
    const found = document.getElementsByTagNameNS(dsNamespace, "Signature");
    const node = found.item(0);
    if (node === null || found.length !== 1) return undefined;
    const signed = new SignedXml({
      publicCert: certificate.toString(),
      getCertFromKeyInfo: () => null,
    });
    if (!allowSha1) {
      delete signed.HashAlgorithms[sha1Algorithms.digest];
      delete signed.SignatureAlgorithms[sha1Algorithms.signature];
    }
    // Two versions of the DOM's types.
    signed.loadSignature(node as unknown as Node);
    if (!signed.checkSignature(text)) return undefined;
    return signed.getSignedReferences().map((one) => parseXml(one));
  } catch {
    return undefined; // why it does not hold is nothing that a client may learn
  }
}

/** Same names, attributes and content. */
function isEqual(a: XmlElement, b: XmlElement): boolean {
  if (a.name !== b.name || a.namespace !== b.namespace) return false;
  if (a.attributes.length !== b.attributes.length) return false;
  if (a.children.length !== b.children.length) return false;
  const hasSame = a.attributes.every(({ name, namespace, value }) =>
    attributeOf(b, name, namespace) === value
  );
  return hasSame && a.children.every((child, index) => {
    const other = b.children[index]!; // as long as `a`
    if (typeof child === "string" || typeof other === "string") return child === other;
    return isEqual(child, other);
  });
}
