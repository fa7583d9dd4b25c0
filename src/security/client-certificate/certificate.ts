import { createHash } from "node:crypto";
import "reflect-metadata"; // must come before @peculiar/x509
import { SubjectAlternativeNameExtension, X509Certificate } from "@peculiar/x509";

/** What definitions look at. */
export interface CertificateFacts {
  /** The subject as one line, such as `CN=crm-client, O=Example`. */
  readonly subjectText: string;
  /** The values of a field, such as `CN`. */
  readonly subject: (field: string) => readonly string[];
  readonly issuer: (field: string) => readonly string[];
  /** `DNS:...`, `URI:...`, `IP:...` and `email:...`; DNS names in lower case. */
  readonly alternativeNames: readonly string[];
  /** SHA-256, hexadecimal, lower case, without colons. */
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

const prefixes: Readonly<Record<string, string>> = {
  dns: "DNS:",
  url: "URI:",
  ip: "IP:",
  email: "email:",
};

/** Certificates are a few kilobytes; a header of a hundred is none. */
const fieldLengthMax = 32_768;

/**
 * Reads a `Client-Cert` field: one byte sequence of structured fields, `:base64 of DER:` (RFC 9440,
 * 2.2). Undefined for anything else.
 */
export function parseCertificateField(field: string): CertificateFacts | undefined {
  if (field.length > fieldLengthMax) return undefined;
  const base64 = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(field.trim())?.[1];
  if (base64 === undefined) return undefined;
  try {
    return factsOf(Uint8Array.from(Buffer.from(base64, "base64")));
  } catch {
    return undefined; // no certificate
  }
}

function factsOf(der: Uint8Array<ArrayBuffer>): CertificateFacts {
  const certificate = new X509Certificate(der);
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return {
    subjectText: certificate.subject,
    subject: (field) => certificate.subjectName.getField(field),
    issuer: (field) => certificate.issuerName.getField(field),
    alternativeNames: names.flatMap(({ type, value }) => {
      const prefix = prefixes[type];
      return prefix === undefined ? [] : [normalName(prefix + value)];
    }),
    fingerprint: createHash("sha256").update(der).digest("hex"),
    notBefore: certificate.notBefore.getTime(),
    notAfter: certificate.notAfter.getTime(),
  };
}

/** An alternative name as two of them are compared: host names have no case. */
export function normalName(name: string): string {
  return name.startsWith("DNS:") ? `DNS:${name.slice(4).toLowerCase()}` : name;
}
