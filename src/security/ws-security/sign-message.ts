import { X509Certificate } from "node:crypto";
import { SignedXml } from "xml-crypto";
import {
  base64Encoding,
  exclusiveC14n,
  rsaSha256,
  sha256,
  wsseNamespace,
  wsuNamespace,
  x509Token,
} from "./names.ts";

export interface SigningKey {
  /** PEM; the first certificate is that of the key. */
  readonly certificate: string;
  /** PEM */
  readonly key: string;
}

/** Ids of what is signed; one message has each once. */
export const signedIds = { body: "body", timestamp: "timestamp", token: "certificate" } as const;

/** The certificate as a token in the Security header. Prefixes are `wsse` and `wsu`. */
export function renderCertificateToken({ certificate }: SigningKey): string {
  const der = new X509Certificate(certificate).raw;
  return `<wsse:BinarySecurityToken EncodingType="${base64Encoding}" ValueType="${x509Token}"` +
    ` wsu:Id="${signedIds.token}">${Buffer.from(der).toString("base64")}` +
    `</wsse:BinarySecurityToken>`;
}

/**
 * Signs Body and Timestamp of an envelope, which have the ids of `signedIds`, with RSA and SHA-256;
 * the signature stands last in its Security header, in which the certificate's token is.
 */
export function signMessage(envelope: string, { key }: SigningKey): string {
  const signed = new SignedXml({
    privateKey: key,
    idMode: "wssecurity",
    signatureAlgorithm: rsaSha256,
    canonicalizationAlgorithm: exclusiveC14n,
    getKeyInfoContent: () =>
      `<wsse:SecurityTokenReference xmlns:wsse="${wsseNamespace}"><wsse:Reference ` +
      `URI="#${signedIds.token}" ValueType="${x509Token}"/></wsse:SecurityTokenReference>`,
  });
  for (const id of [signedIds.timestamp, signedIds.body]) {
    signed.addReference({
      xpath: `//*[@*[local-name(.)='Id' and namespace-uri(.)='${wsuNamespace}']='${id}']`,
      transforms: [exclusiveC14n],
      digestAlgorithm: sha256,
      uri: id,
    });
  }
  const place =
    `/*/*[local-name(.)='Header']/*[local-name(.)='Security' and namespace-uri(.)='${wsseNamespace}']`;
  signed.computeSignature(envelope, {
    prefix: "ds",
    location: { reference: place, action: "append" },
  });
  return signed.getSignedXml();
}
