import "reflect-metadata"; // must come before @peculiar/x509
import { BasicConstraintsExtension, PemConverter, X509CertificateGenerator } from "@peculiar/x509";
import type { SigningKey } from "../../../src/security/ws-security/sign-message.ts";

/** Keys that sign messages, and who issued them. */
export interface TestKeys {
  readonly ca: SigningKey;
  /** Issued by `ca`. */
  readonly client: SigningKey;
  /** Issued by `ca`, and over. */
  readonly expired: SigningKey;
  /** Issued by itself. */
  readonly stranger: SigningKey;
}

const algorithm = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};
const day = 86_400_000;

async function pemOf(key: CryptoKey): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

async function makeKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** Makes keys and certificates. */
export async function issueCertificates(): Promise<TestKeys> {
  const authority = await makeKeys();
  const issue = async (name: string, keys: CryptoKeyPair, options: {
    readonly issuer?: string;
    readonly signingKey?: CryptoKey;
    readonly notAfter?: Date;
    readonly isAuthority?: boolean;
  } = {}): Promise<SigningKey> => {
    const certificate = await X509CertificateGenerator.create({
      serialNumber: "01",
      subject: `CN=${name}`,
      issuer: `CN=${options.issuer ?? name}`,
      notBefore: new Date(Date.now() - 2 * day),
      notAfter: options.notAfter ?? new Date(Date.now() + day),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: options.signingKey ?? keys.privateKey,
      extensions: [new BasicConstraintsExtension(options.isAuthority ?? false)],
    });
    return { certificate: certificate.toString("pem"), key: await pemOf(keys.privateKey) };
  };
  const byAuthority = { issuer: "authority", signingKey: authority.privateKey };
  return {
    ca: await issue("authority", authority, { isAuthority: true }),
    client: await issue("client", await makeKeys(), byAuthority),
    expired: await issue("expired", await makeKeys(), {
      ...byAuthority,
      notAfter: new Date(Date.now() - day),
    }),
    stranger: await issue("client", await makeKeys()),
  };
}
