import { isIP } from "node:net";
import { z } from "zod";
import { serverConfigSchema } from "../config/schemas.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { hostIdentitySuffix, type Identity, roles } from "../mtls/identity.ts";

/** What a certificate is asked for with. */
export interface CertificateRequest {
  readonly identity: Identity;
  /** DNS names and IP addresses under which the component is reached. May be empty. */
  readonly hosts: readonly string[];
  /** 1 to 3,650; default 365. Never beyond the end of the authority itself. */
  readonly validityDays?: number;
}

const { cluster, name } = serverConfigSchema.shape;
const validityDays = z.int().min(1).max(3_650);
const labels =
  /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** Throws CA_INVALID_REQUEST for the first thing that is wrong. */
export function validateRequest(request: CertificateRequest): Required<CertificateRequest> {
  const { identity, hosts, validityDays: days = 365 } = request;
  expect("cluster", identity.cluster, cluster.safeParse(identity.cluster).success, nameRule);
  expect("name", identity.name, name.safeParse(identity.name).success, `${nameRule}, dots, _`);
  expect("role", identity.role, roles.includes(identity.role), `one of ${roles.join(", ")}`);
  for (const host of hosts) {
    expect("host", host, isHost(host), "a DNS name or an IP address");
    const isReserved = host.toLowerCase().endsWith(hostIdentitySuffix);
    expect("host", host, !isReserved, `not one under ${hostIdentitySuffix}, which say who one is`);
  }
  expect("validityDays", days, validityDays.safeParse(days).success, "a whole number, 1 to 3650");
  return { identity, hosts: [...new Set(hosts)], validityDays: days };
}

const nameRule = "1 to 63 letters, digits and dashes that begin with a letter or digit";

function isHost(host: string): boolean {
  if (isIP(host) !== 0) return !host.includes("%"); // a zone means something on one machine only
  // All digits and dots looks like an address that was mistyped.
  return host.length <= 253 && labels.test(host) && !/^[\d.]+$/.test(host);
}

function expect(what: string, value: unknown, holds: boolean, wanted: string): void {
  if (holds) return;
  throw new PlatformError("CA_INVALID_REQUEST", { what, value: JSON.stringify(value), wanted });
}
