import { createPrivateKey, X509Certificate } from "node:crypto";
import { z } from "zod";
import type { StoredObject } from "../../catalog/kind.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import type { ClusterKey } from "../../security/cluster-key.ts";
import type { Credential } from "../../security/credentials/credential.ts";
import { unsealField } from "../../security/secrets.ts";
import { HttpSender } from "./sender.ts";
import type { TlsSettings } from "./transport.ts";

const address = z.string().max(2_000).superRefine((text, context) => {
  const problem = addressProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const certificates = z.string().max(1_000_000).refine(
  isCertificate,
  "This is not a certificate in PEM",
);

const ms = (least: number) => z.int().min(least).max(86_400_000);

const retries = z.strictObject({
  attempts: z.int().min(1).max(20).default(3).meta({
    description: "How often a call is tried in all; 1: it is never repeated",
    example: 3,
  }),
  firstMs: ms(0).default(100).meta({
    description: "Longest wait before the second attempt; each further one waits twice as long",
    example: 100,
  }),
  maxMs: ms(0).default(2_000).meta({ description: "Longest wait of all", example: 2_000 }),
});

const breaker = z.strictObject({
  failureRatio: z.number().gt(0).max(1).default(0.5).meta({
    description: "Share of failed calls at which the circuit breaker opens",
    example: 0.5,
  }),
  windowMs: ms(100).default(10_000).meta({
    description: "How far back calls count",
    example: 10_000,
  }),
  callsMin: z.int().min(1).max(1_000_000).default(20).meta({
    description: "With fewer calls in the window, the circuit breaker stays closed",
    example: 20,
  }),
  openMs: ms(1).default(5_000).meta({
    description: "How long nothing is sent once it is open, before a few calls try again",
    example: 5_000,
  }),
  probes: z.int().min(1).max(1_000).default(1).meta({
    description: "How many of those must succeed before it closes",
    example: 1,
  }),
});

/** The fields that every outgoing connection over HTTP has. */
export const httpConnectionFields = {
  address: z.union([address, z.array(address).min(1).max(50)]).meta({
    description: "Base address, or several of them, of the other side",
    example: ["https://crm-1.example.com", "https://crm-2.example.com"],
  }),
  balance: z.enum(["in-order", "round-robin"]).default("in-order").meta({
    description: "in-order: the first address that works; round-robin: each in turn",
    example: "in-order",
  }),
  credential: z.string().min(1).optional().meta({
    description: "The credential that is shown to the other side",
    example: "crm-login",
  }),
  timeoutMs: ms(1).default(10_000).meta({
    description: "Longest time of a call, its retries included; the caller's deadline goes first",
    example: 10_000,
  }),
  connectTimeoutMs: ms(1).default(3_000).meta({
    description: "Longest time until a connection is there",
    example: 3_000,
  }),
  poolSize: z.int().min(1).max(10_000).default(20).meta({
    description: "Connections to each address, in each worker; further calls wait for one",
    example: 20,
  }),
  idleMs: ms(1).default(4_000).meta({
    description: "A connection that is not used for this long is closed",
    example: 4_000,
  }),
  retries: retries.prefault({}).meta({
    description: "Repeating what may be done twice, and what was not sent",
    example: { attempts: 3 },
  }),
  breaker: z.union([z.literal("none"), breaker]).prefault({}).meta({
    description: 'When to stop calling an address that fails, or "none"',
    example: { failureRatio: 0.5, callsMin: 20 },
  }),
  tlsCa: certificates.optional().meta({
    description: "Authorities that are trusted, in PEM; default: the system's",
    example: "${file:crm-ca.pem}",
  }),
  tlsCertificate: certificates.optional().meta({
    description: "The certificate that this side shows, in PEM, with its chain",
    example: "${file:client.pem}",
  }),
  tlsKey: z.string().max(100_000).optional().meta({
    description: "The key of tlsCertificate, in PEM",
    secret: "encrypted",
    example: "${file:client-key.pem}",
  }),
  tlsServerName: z.string().min(1).max(253).optional().meta({
    description: "The name in the other side's certificate; default: the address's host",
    example: "crm.example.com",
  }),
  tlsVerify: z.boolean().default(true).meta({
    description: "false: believe whoever answers; for tests only",
    example: true,
  }),
  responseBytesMax: z.int().min(0).max(1_073_741_824).default(16_777_216).meta({
    description: "Largest answer that is read into memory; streams have no limit",
    unit: "bytes",
    example: 16_777_216,
  }),
  active: z.boolean().default(true).meta({
    description: "Whether services may use it; a ping may in any case",
    example: true,
  }),
  description: z.string().max(1_000).optional().meta({
    description: "What the connection is for, for people",
    example: "Customers and orders",
  }),
} as const;

const connectionSchema = z.object(httpConnectionFields);

/** What a kind with these fields has in its validated spec. */
export type HttpConnectionSpec = z.output<typeof connectionSchema>;

export interface HttpConnectionTies {
  /** Unseals `tlsKey`. */
  readonly key: ClusterKey;
  readonly credential: Credential | undefined;
}

/**
 * Opens what sends the calls of an object. Throws OUTGOING_UNUSABLE for a certificate without its
 * key, and SECURITY_* for a key that cannot be unsealed.
 */
export function openHttpSender(
  object: StoredObject,
  spec: HttpConnectionSpec,
  { key, credential }: HttpConnectionTies,
): HttpSender {
  const { kind, name } = object;
  const { address: addresses, breaker: breakerSpec } = spec;
  return new HttpSender({
    kind,
    name,
    addresses: [addresses].flat().map((text) => new URL(text)),
    balance: spec.balance,
    timeoutMs: spec.timeoutMs,
    connectTimeoutMs: spec.connectTimeoutMs,
    poolSize: spec.poolSize,
    idleMs: spec.idleMs,
    retries: spec.retries,
    breaker: breakerSpec === "none" ? undefined : breakerSpec,
    tls: tlsOf(object, spec, key),
    credential,
  });
}

function tlsOf(
  { kind, name }: StoredObject,
  spec: HttpConnectionSpec,
  key: ClusterKey,
): TlsSettings {
  const { tlsCa: ca, tlsCertificate: cert, tlsServerName: serverName, tlsKey: sealed } = spec;
  const common = {
    verify: spec.tlsVerify,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  if (cert === undefined && sealed === undefined) return common;
  const unusable = (reason: string) =>
    new PlatformError("OUTGOING_UNUSABLE", { kind, name, reason });
  if (cert === undefined) throw unusable("it has a tlsKey, and no tlsCertificate");
  if (sealed === undefined) throw unusable("it has a tlsCertificate, and no tlsKey");
  const pem = unsealField({ kind, name, field: "tlsKey" }, sealed, key);
  if (!isKeyOf(pem, cert)) throw unusable("tlsKey is not the key of tlsCertificate");
  return { ...common, cert, key: pem };
}

function isKeyOf(pem: string, certificate: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(pem));
  } catch {
    return false; // no key at all
  }
}

function addressProblem(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    return "An address begins with http:// or https://, and a host";
  }
  if (url.username !== "" || url.password !== "") {
    return "An address has no password in it; name a credential instead";
  }
  if (text.includes("?") || text.includes("#")) return "An address has no ? and no #";
  return undefined;
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch {
    return false;
  }
}
