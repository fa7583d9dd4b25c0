import { createPrivateKey, KeyObject } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  componentPaths,
  createComponent,
  isEmptyDirectory,
  loadMarker,
  loadSecret,
} from "../config/component.ts";
import { loadText, validateSource } from "../config/yaml-source.ts";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import { generatePassword } from "../lib/random-secret.ts";
import { certificateEnd, type Issuer, makeAuthorityCertificate } from "./certificates.ts";
import { type CaConfig, caConfigSchema } from "./config.ts";
import { saveIndex } from "./issue-index.ts";
import { type AuthorityPaths, authorityPaths } from "./paths.ts";
import { validityFor } from "./validity.ts";

export interface AuthorityOptions {
  /** Default `Dragoman`. */
  readonly organization?: string;
  /** Default `Dragoman development CA`. */
  readonly commonName?: string;
  /** Default 3,650. */
  readonly validityDays?: number;
}

const passwordFileVariable = "DRAGOMAN_CA_PASSWORD_FILE";
const passwordName = "ca-password";

/**
 * Makes a certificate authority: a component directory of kind `ca` with `ca-material/` and
 * `out/`. Its key is encrypted with a new password in `secrets/ca-password`, or with the one in
 * the file that DRAGOMAN_CA_PASSWORD_FILE names. Throws CA_NOT_EMPTY, CONFIG_INVALID.
 */
export async function createAuthority(
  directory: string,
  options: AuthorityOptions = {},
): Promise<AuthorityPaths> {
  const paths = authorityPaths(directory);
  const config = validateOptions(options);
  if (!await isEmptyDirectory(paths.root)) {
    throw new PlatformError("CA_NOT_EMPTY", { directory: paths.root });
  }
  const outside = await loadOutsidePassword();
  const password = outside ?? generatePassword();
  const { cert, privateKey } = await makeAuthorityCertificate(
    config,
    validityFor(config.validityDays),
  );
  await mkdir(paths.material, { recursive: true, mode: 0o700 });
  await mkdir(paths.out, { recursive: true, mode: 0o700 });
  await writeFileAtomic(paths.key, encryptKey(privateKey, password));
  await writeFileAtomic(paths.cert, cert, { mode: 0o644 });
  await saveIndex(paths, []);
  const secrets: Record<string, string> = {};
  if (outside === undefined) secrets[passwordName] = `${password}\n`;
  await createComponent(paths.root, { component: "ca", config, secrets });
  return paths;
}

/** An authority whose key is open. */
export interface OpenedAuthority extends Issuer {
  readonly paths: AuthorityPaths;
  readonly notAfter: Date;
}

/** Opens an authority's key. Throws CONFIG_*, CA_NO_PASSWORD, CA_WRONG_PASSWORD, CA_DAMAGED. */
export async function openAuthority(directory: string): Promise<OpenedAuthority> {
  const paths = authorityPaths(directory);
  await loadMarker(paths.root, "ca");
  const { password, file } = await loadPassword(paths.root);
  const damaged = (error: unknown) =>
    new PlatformError("CA_DAMAGED", { directory: paths.root, reason: reasonOf(error) }, {
      cause: error,
    });
  try {
    const cert = await readFile(paths.cert, "utf8");
    const notAfter = certificateEnd(cert);
    const encrypted = await readFile(paths.key, "utf8");
    if (!encrypted.startsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----")) {
      throw new Error(`${paths.key} holds no encrypted key`);
    }
    const privateKey = await decryptKey(encrypted, password);
    if (privateKey !== undefined) return { paths, cert, notAfter, privateKey };
  } catch (error) {
    throw damaged(error);
  }
  throw new PlatformError("CA_WRONG_PASSWORD", { directory: paths.root, file });
}

function validateOptions(options: AuthorityOptions): CaConfig {
  return validateSource(caConfigSchema, {
    file: "certificate authority",
    value: options,
    locate: (path) => ["certificate authority", ...path.map(String)].join(" "),
  });
}

async function loadOutsidePassword(): Promise<string | undefined> {
  const file = process.env[passwordFileVariable];
  return file === undefined || file === "" ? undefined : (await loadText(file)).trimEnd();
}

async function loadPassword(root: string): Promise<{ password: string; file: string }> {
  const outside = await loadOutsidePassword();
  const file = outside === undefined
    ? join(componentPaths(root).secrets, passwordName)
    : process.env[passwordFileVariable]!;
  const password = outside ?? await loadSecret(root, passwordName);
  if (password !== undefined && password !== "") return { password, file };
  throw new PlatformError("CA_NO_PASSWORD", { directory: root, file });
}

/** PBES2 with AES-256-CBC. */
function encryptKey(key: CryptoKey, passphrase: string): string {
  return KeyObject.from(key)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase }).toString();
}

/** Undefined when the password is wrong. */
async function decryptKey(key: string, passphrase: string): Promise<CryptoKey | undefined> {
  let der: Uint8Array<ArrayBuffer>;
  try {
    der = Uint8Array.from(
      createPrivateKey({ key, passphrase }).export({ type: "pkcs8", format: "der" }),
    );
  } catch {
    return undefined; // OpenSSL's text says no more than that it could not be decrypted
  }
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  return await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}
