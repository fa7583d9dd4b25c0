import "reflect-metadata"; // must come before @peculiar/x509
import { Name, X509CertificateGenerator } from "@peculiar/x509";

/** A certificate of this name as a `Client-Cert` field (RFC 9440), valid for a day. */
export async function clientCertificateField(commonName: string): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: new Name([{ CN: [commonName] }]),
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
    keys,
    signingAlgorithm: algorithm,
  });
  return `:${Buffer.from(certificate.rawData).toString("base64")}:`;
}
