import { KeyObject } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuthority } from "../../../src/ca/authority.ts";
import { makeCertificate, type Validity } from "../../../src/ca/certificates.ts";
import { createAuthority, issueCertificate } from "../../../src/ca/index.ts";
import type { Identity, TlsMaterial } from "../../../src/mtls/identity.ts";

/** An authority in a temporary directory. */
export interface TestAuthority {
  readonly directory: string;
  issue(identity: Identity): Promise<TlsMaterial>;
  /** A certificate that was, or will be, valid at another time. */
  issueFor(identity: Identity, validity: Validity): Promise<TlsMaterial>;
  remove(): Promise<void>;
}

export async function createTestAuthority(): Promise<TestAuthority> {
  const root = await mkdtemp(join(tmpdir(), "dragoman-mtls-"));
  const directory = join(root, "ca");
  await createAuthority(directory);
  return {
    directory,
    async issue(identity) {
      const issued = await issueCertificate(directory, { identity, hosts: ["localhost"] });
      return {
        cert: await readFile(issued.certPath, "utf8"),
        key: await readFile(issued.keyPath, "utf8"),
        ca: await readFile(issued.caPath, "utf8"),
      };
    },
    async issueFor(identity, validity) {
      const authority = await openAuthority(directory);
      const made = await makeCertificate({ identity, hosts: [] }, validity, authority);
      const key = KeyObject.from(made.privateKey).export({ type: "pkcs8", format: "pem" });
      return { cert: made.cert, key: key.toString(), ca: authority.cert };
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

const dayMs = 86_400_000;

/** Ended a day ago. */
export const past: Validity = {
  notBefore: new Date(Date.now() - 3 * dayMs),
  notAfter: new Date(Date.now() - dayMs),
};

/** Begins tomorrow. */
export const future: Validity = {
  notBefore: new Date(Date.now() + dayMs),
  notAfter: new Date(Date.now() + 3 * dayMs),
};
