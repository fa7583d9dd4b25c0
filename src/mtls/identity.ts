/** Parts of the system that own a certificate. */
export const roles = ["server", "load-balancer", "web-admin", "operator"] as const;
export type Role = (typeof roles)[number];

/**
 * Who is at the other end of a mutually authenticated connection. It is written in the
 * certificate's subject alternative name as the URI `spiffe://<cluster>/<role>/<name>`.
 */
export interface Identity {
  readonly cluster: string;
  readonly role: Role;
  readonly name: string;
}

export function renderIdentity({ cluster, role, name }: Identity): string {
  return `spiffe://${cluster}/${role}/${name}`;
}

/**
 * The DNS name in a server's certificate that says the same as its identity, for balancers that
 * cannot check URIs. No name server knows it, and certificates are issued to nobody else under it.
 */
export function renderHostIdentity({ cluster, role, name }: Identity): string {
  return `${name}.${role}.${cluster}${hostIdentitySuffix}`.toLowerCase();
}

/** Names that end so are identities; nobody may ask for one. */
export const hostIdentitySuffix = ".dragoman.internal";

/** Reads an identity URI; undefined when it is not one of ours. */
export function parseIdentity(uri: string): Identity | undefined {
  const match = /^spiffe:\/\/([a-z0-9-]+)\/([a-z-]+)\/([a-z0-9._-]+)$/i.exec(uri);
  const role = roles.find((candidate) => candidate === match?.[2]);
  if (match === null || role === undefined) return undefined;
  return { cluster: match[1]!, role, name: match[3]! };
}

/** A component's own certificate and key, and the authority it trusts; PEM text. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}
