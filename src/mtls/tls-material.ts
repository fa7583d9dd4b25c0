import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { componentPaths } from "../config/component.ts";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import type { TlsMaterial } from "./identity.ts";

/** Files of a component's `tls/`. */
interface TlsFiles {
  readonly folder: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/**
 * Reads a component's `tls/{cert,key,ca}.pem` and checks that they belong together and are valid
 * now, so that what is wrong is said here and not by a failing handshake. `cert.pem` and `ca.pem`
 * may hold intermediate certificates. Throws MTLS_FILE_MISSING, MTLS_MALFORMED, MTLS_KEY_MISMATCH,
 * MTLS_WRONG_CA, MTLS_NOT_VALID_NOW.
 */
export async function loadTls(componentDirectory: string): Promise<TlsMaterial> {
  const folder = componentPaths(componentDirectory).tls;
  const files: TlsFiles = {
    folder,
    cert: join(folder, "cert.pem"),
    key: join(folder, "key.pem"),
    ca: join(folder, "ca.pem"),
  };
  const material: TlsMaterial = {
    cert: await readPem(files.cert, folder),
    key: await readPem(files.key, folder),
    ca: await readPem(files.ca, folder),
  };
  check(material, files);
  return Object.freeze(material);
}

async function readPem(file: string, folder: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const command = '"dragoman ca create server", "load-balancer", "web-admin" or "operator"';
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = isMissing ? "there is no such file" : reasonOf(error);
    const params = { file, folder, command, reason };
    throw new PlatformError("MTLS_FILE_MISSING", params, { cause: error });
  }
}

function check(material: TlsMaterial, files: TlsFiles): void {
  const [certificate, ...intermediates] = parse(files.cert, () => certificates(material.cert));
  const authorities = parse(files.ca, () => certificates(material.ca));
  const key = parse(files.key, () => createPrivateKey(material.key));
  if (!certificate!.checkPrivateKey(key)) {
    throw new PlatformError("MTLS_KEY_MISMATCH", { cert: files.cert, key: files.key });
  }
  const issuers = [...intermediates, ...authorities];
  if (!issuers.some((issuer) => isIssuedBy(certificate!, issuer))) {
    throw new PlatformError("MTLS_WRONG_CA", { cert: files.cert, ca: files.ca });
  }
  const now = new Date();
  const { validFromDate, validToDate } = certificate!;
  if (now < validFromDate || now > validToDate) {
    throw new PlatformError("MTLS_NOT_VALID_NOW", {
      cert: files.cert,
      notBefore: validFromDate.toISOString(),
      notAfter: validToDate.toISOString(),
      now: now.toISOString(),
    });
  }
}

function certificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error("it holds no PEM certificate");
  return blocks.map((block) => new X509Certificate(block));
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function parse<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    // OpenSSL's words for a bad key quote nothing of it.
    const params = { file, reason: reasonOf(error) };
    throw new PlatformError("MTLS_MALFORMED", params, { cause: error });
  }
}
