import type { PeerCertificate } from "node:tls";
import { PlatformError } from "../errors/platform-error.ts";
import { type Identity, parseIdentity, type Role } from "./identity.ts";

/** Who a client insists to talk to. */
export interface ExpectedPeer {
  readonly cluster: string;
  readonly role: Role;
  readonly name?: string;
}

/** The identity that a verified certificate names; undefined unless it names exactly one URI. */
export function identityOf(certificate: Partial<PeerCertificate>): Identity | undefined {
  const uris = (certificate.subjectaltname ?? "").split(", ")
    .filter((name) => name.startsWith("URI:"));
  return uris.length === 1 ? parseIdentity(uris[0]!.slice("URI:".length)) : undefined;
}

/** The caller's identity. Throws MTLS_NO_IDENTITY, MTLS_OTHER_CLUSTER. */
export function acceptCaller(certificate: Partial<PeerCertificate>, cluster: string): Identity {
  const caller = identityOf(certificate);
  if (caller === undefined) throw new PlatformError("MTLS_NO_IDENTITY");
  if (caller.cluster !== cluster) {
    throw new PlatformError("MTLS_OTHER_CLUSTER", { found: caller.cluster, wanted: cluster });
  }
  return caller;
}

/** Why the answering side is not the expected one, in words; undefined when it is. */
export function refusalOf(
  certificate: Partial<PeerCertificate>,
  expected: ExpectedPeer,
): string | undefined {
  const found = identityOf(certificate);
  const wanted = describe(expected);
  if (found === undefined) return `its certificate names no identity, wanted ${wanted}`;
  const matches = found.cluster === expected.cluster && found.role === expected.role &&
    (expected.name === undefined || found.name === expected.name);
  return matches ? undefined : `it is ${describe(found)}, wanted ${wanted}`;
}

function describe({ cluster, role, name }: ExpectedPeer): string {
  return `the ${role}${name === undefined ? "" : ` "${name}"`} of cluster "${cluster}"`;
}
