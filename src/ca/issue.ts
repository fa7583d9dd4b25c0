import { KeyObject } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { loadMarker } from "../config/component.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import type { Identity } from "../mtls/identity.ts";
import { openAuthority, type OpenedAuthority } from "./authority.ts";
import { type KeyedCertificate, makeCertificate, type Validity } from "./certificates.ts";
import { type IndexEntry, loadIndex, saveIndex } from "./issue-index.ts";
import { withLock } from "./lock.ts";
import { type AuthorityPaths, authorityPaths } from "./paths.ts";
import { type CertificateRequest, validateRequest } from "./request.ts";
import { expiringMs, validityFor } from "./validity.ts";

/** A certificate as it lies in the authority's `out/`. Times are ISO 8601. */
export interface IssuedCertificate {
  /** 32 hexadecimal digits. */
  readonly serial: string;
  readonly identity: Identity;
  readonly hosts: readonly string[];
  readonly notBefore: string;
  readonly notAfter: string;
  readonly certPath: string;
  /** PKCS#8 PEM, not encrypted, 0600. */
  readonly keyPath: string;
  readonly caPath: string;
}

/** `expiring`: ends within 30 days. `replaced` goes before the others. */
export type CertificateState = "valid" | "expiring" | "expired" | "replaced";

export interface ListedCertificate extends IssuedCertificate {
  readonly state: CertificateState;
  /** Serial of the certificate that took its place. */
  readonly replacedBy?: string;
}

/**
 * Issues a certificate with a new key into the authority's `out/`. Safe to call from several
 * processes at once. Throws CA_INVALID_REQUEST, CA_EXPIRED, CA_BUSY, or what opening throws.
 */
export async function issueCertificate(
  directory: string,
  request: CertificateRequest,
): Promise<IssuedCertificate> {
  const wanted = validateRequest(request);
  const authority = await openAuthority(directory);
  return await withLock(authority.paths, async () => {
    const entries = await loadIndex(authority.paths);
    const entry = await issue(authority, wanted);
    await saveIndex(authority.paths, [...entries, entry]);
    return issued(authority.paths, entry);
  });
}

/**
 * Issues a certificate for the same identity, hosts and number of days as `serial`, with a new key
 * and serial. The old one stays valid until it ends: the index notes what replaced it.
 * Throws CA_UNKNOWN_SERIAL, CA_REPLACED.
 */
export async function renewCertificate(
  directory: string,
  { serial }: { readonly serial: string },
): Promise<IssuedCertificate> {
  const authority = await openAuthority(directory);
  const { paths } = authority;
  return await withLock(paths, async () => {
    const entries = await loadIndex(paths);
    const old = entries.find((entry) => entry.serial === serial.toLowerCase());
    if (old === undefined) {
      throw new PlatformError("CA_UNKNOWN_SERIAL", { directory: paths.root, serial });
    }
    if (old.replacedBy !== null) {
      throw new PlatformError("CA_REPLACED", { serial, replacedBy: old.replacedBy });
    }
    const entry = await issue(authority, {
      identity: old.identity,
      hosts: old.hosts,
      validityDays: daysOf(old),
    });
    const replaced = { ...old, replacedBy: entry.serial };
    await saveIndex(paths, [...entries.map((one) => (one === old ? replaced : one)), entry]);
    return issued(paths, entry);
  });
}

/** Every certificate the authority has issued, in the order of issue. Needs no password. */
export async function listCertificates(directory: string): Promise<readonly ListedCertificate[]> {
  const paths = authorityPaths(directory);
  await loadMarker(paths.root, "ca");
  const now = Date.now();
  return (await loadIndex(paths)).map((entry) => ({
    ...issued(paths, entry),
    state: stateOf(entry, now),
    ...(entry.replacedBy === null ? {} : { replacedBy: entry.replacedBy }),
  }));
}

async function issue(
  authority: OpenedAuthority,
  { identity, hosts, validityDays }: Required<CertificateRequest>,
): Promise<IndexEntry> {
  const { paths, notAfter: end } = authority;
  if (end.getTime() <= Date.now()) {
    throw new PlatformError("CA_EXPIRED", { directory: paths.root, notAfter: end.toISOString() });
  }
  const validity: Validity = validityFor(validityDays, end);
  const made = await makeCertificate({ identity, hosts }, validity, authority);
  const file = await writeFiles(authority, identity, made);
  return {
    serial: made.serial,
    identity,
    hosts: [...hosts],
    notBefore: made.notBefore.toISOString(),
    notAfter: made.notAfter.toISOString(),
    file,
    replacedBy: null,
  };
}

/** Writes the three files into a folder of their own; returns the certificate's relative path. */
async function writeFiles(
  { paths, cert: ca }: OpenedAuthority,
  { role, name }: Identity,
  { serial, cert, privateKey }: KeyedCertificate,
): Promise<string> {
  const folder = join(paths.out, `${role}-${name}-${serial.slice(0, 8)}`);
  const key = KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await writeFileAtomic(join(folder, "key.pem"), key);
    await writeFileAtomic(join(folder, "ca.pem"), ca, { mode: 0o644 });
    await writeFileAtomic(join(folder, "cert.pem"), cert, { mode: 0o644 });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return relative(paths.root, join(folder, "cert.pem"));
}

function issued(paths: AuthorityPaths, entry: IndexEntry): IssuedCertificate {
  const { serial, identity, hosts, notBefore, notAfter, file } = entry;
  const certPath = join(paths.root, file);
  const folder = dirname(certPath);
  const others = { keyPath: join(folder, "key.pem"), caPath: join(folder, "ca.pem") };
  return { serial, identity, hosts, notBefore, notAfter, certPath, ...others };
}

function stateOf({ notAfter, replacedBy }: IndexEntry, now: number): CertificateState {
  if (replacedBy !== null) return "replaced";
  const left = Date.parse(notAfter) - now;
  if (left <= 0) return "expired";
  return left < expiringMs ? "expiring" : "valid";
}

function daysOf({ notBefore, notAfter }: IndexEntry): number {
  return Math.max(1, Math.floor((Date.parse(notAfter) - Date.parse(notBefore)) / 86_400_000));
}
