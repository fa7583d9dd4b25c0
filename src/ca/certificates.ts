import "reflect-metadata"; // must come before @peculiar/x509
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { type Identity, renderHostIdentity, renderIdentity, type Role } from "../mtls/identity.ts";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** From when to when a certificate is valid; X.509 counts in whole seconds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate with the key it was made for. */
export interface KeyedCertificate extends Validity {
  /** 32 hexadecimal digits, lower case. */
  readonly serial: string;
  /** PEM */
  readonly cert: string;
  readonly privateKey: CryptoKey;
}

/** What signs: the authority's certificate (PEM) and its opened key. */
export interface Issuer {
  readonly cert: string;
  readonly privateKey: CryptoKey;
}

/** Whom a certificate is for. */
export interface Subject {
  readonly identity: Identity;
  /** DNS names and IP addresses. */
  readonly hosts: readonly string[];
}

/** Makes the authority's own certificate: it may sign certificates of components, and no others. */
export async function makeAuthorityCertificate(
  subject: { readonly commonName: string; readonly organization: string },
  validity: Validity,
): Promise<KeyedCertificate> {
  const keys = await generateKeys();
  const serialNumber = generateSerial();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: distinguishedName({ CN: subject.commonName, O: subject.organization }),
    ...validity,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return keyed(certificate, serialNumber, keys.privateKey);
}

/** Makes a component's certificate and its new key. */
export async function makeCertificate(
  { identity, hosts }: Subject,
  validity: Validity,
  issuer: Issuer,
): Promise<KeyedCertificate> {
  const authority = new X509Certificate(issuer.cert);
  const keys = await generateKeys();
  const serialNumber = generateSerial();
  const certificate = await X509CertificateGenerator.create({
    serialNumber,
    subject: distinguishedName({ CN: identity.name, OU: identity.cluster }),
    issuer: authority.subjectName,
    ...validity,
    publicKey: keys.publicKey,
    signingKey: issuer.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(extendedKeyUsages(identity.role)),
      new SubjectAlternativeNameExtension([
        { type: "url", value: renderIdentity(identity) },
        ...(identity.role === "server" ? [generalName(renderHostIdentity(identity))] : []),
        ...hosts.map(generalName),
      ]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  return keyed(certificate, serialNumber, keys.privateKey);
}

/** The end of an authority's own validity. Throws when `pem` is not a certificate. */
export function certificateEnd(pem: string): Date {
  return new X509Certificate(pem).notAfter;
}

/** People and pipelines only ever call; components also answer. */
function extendedKeyUsages(role: Role): ExtendedKeyUsage[] {
  return role === "operator"
    ? [ExtendedKeyUsage.clientAuth]
    : [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth];
}

function generalName(host: string): JsonGeneralName {
  return { type: isIP(host) === 0 ? "dns" : "ip", value: host };
}

/** Each value with its type, because a bare string is read as an expression in which quotes count. */
function distinguishedName(parts: Readonly<Record<string, string>>): Name {
  return new Name(
    Object.entries(parts).map(([type, value]) => ({ [type]: [{ utf8String: value }] })),
  );
}

function keyed(certificate: X509Certificate, serial: string, privateKey: CryptoKey) {
  const { notBefore, notAfter } = certificate;
  return { serial, notBefore, notAfter, cert: certificate.toString("pem") + "\n", privateKey };
}

function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** 128 bits: the first is 0, which makes it positive, the second 1, which keeps its length. */
function generateSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString("hex");
}
