import { X509Certificate } from "node:crypto";

/** The certificates in a PEM text; empty when there is none, or one that is broken. */
export function parseCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

export interface TrustRules {
  readonly certificates: readonly X509Certificate[];
  /** pinned: one of `certificates`; issuer: one that they issued themselves. */
  readonly trust: "pinned" | "issuer";
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** True for a certificate that is trusted now. Expired ones never are. */
export function isTrusted(
  certificate: X509Certificate,
  { certificates, trust, now }: TrustRules,
): boolean {
  if (!isCurrent(certificate, now)) return false;
  if (trust === "pinned") {
    return certificates.some((one) => one.fingerprint256 === certificate.fingerprint256);
  }
  // An authority's own certificate signs certificates, and no messages.
  return !certificate.ca &&
    certificates.some((issuer) =>
      issuer.ca && isCurrent(issuer, now) && certificate.checkIssued(issuer) &&
      certificate.verify(issuer.publicKey)
    );
}

function isCurrent({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo);
}
