import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { LoadBalancerConfig } from "../config/schemas.ts";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";

export type TlsFields = NonNullable<LoadBalancerConfig["tls"]>;

/** What clients are shown, and whom they must come from; PEM. */
export interface ClientTls {
  /** The first is for clients that ask for no name, or for one that no certificate has. */
  readonly certificates: readonly { readonly cert: string; readonly key: string }[];
  readonly clientCa: string | undefined;
}

/**
 * Reads the files that `tls` of a balancer's configuration names, relative to its directory, and
 * checks that they belong together. Throws BALANCER_TLS_FILE.
 */
export async function loadClientTls(tls: TlsFields, directory: string): Promise<ClientTls> {
  const read = (file: string) => readPem(isAbsolute(file) ? file : join(directory, file));
  const certificates = [];
  for (const files of [tls, ...tls.moreCertificates]) {
    const pair = { cert: await read(files.certificate), key: await read(files.key) };
    checkPair(pair, files);
    certificates.push(pair);
  }
  const { clientCa } = tls;
  if (clientCa === undefined) return { certificates, clientCa };
  const ca = await read(clientCa);
  parse(clientCa, () => new X509Certificate(ca));
  return { certificates, clientCa: ca };
}

async function readPem(file: string): Promise<string> {
  try {
    const text = await readFile(file, "utf8");
    return text.endsWith("\n") ? text : `${text}\n`;
  } catch (error) {
    throw new PlatformError("BALANCER_TLS_FILE", { file, reason: reasonOf(error) }, {
      cause: error,
    });
  }
}

function checkPair(
  { cert, key }: { readonly cert: string; readonly key: string },
  files: { readonly certificate: string; readonly key: string },
): void {
  const certificate = parse(files.certificate, () => new X509Certificate(cert));
  const privateKey = parse(files.key, () => createPrivateKey(key));
  if (certificate.checkPrivateKey(privateKey)) return;
  const reason = `the key in "${files.key}" does not belong to it`;
  throw new PlatformError("BALANCER_TLS_FILE", { file: files.certificate, reason });
}

function parse<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    // OpenSSL's words for a bad key quote nothing of it.
    throw new PlatformError("BALANCER_TLS_FILE", { file, reason: reasonOf(error) }, {
      cause: error,
    });
  }
}
