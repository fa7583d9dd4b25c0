import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { certificateAuthorities, secureUrl } from "../https-fields.ts";
import { publicKeyProblem } from "./public-key.ts";

/** Algorithms whose secret both sides know; the number is the least size of it in bytes. */
const secretAlgorithms = { HS256: 32, HS384: 48, HS512: 64 } as const;

const keyAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

type SecretAlgorithm = keyof typeof secretAlgorithms;

const algorithms = z.array(z.enum(["HS256", "HS384", "HS512", ...keyAlgorithms])).min(1);

const claimPath = z.string().min(1).max(500);

export const jwt = defineKind({
  kind: "Jwt",
  group: "security",
  description: "Signed tokens (JSON Web Tokens) that clients send as Authorization: Bearer",
  schema: z.strictObject({
    algorithms: algorithms.meta({
      description: "Signature algorithms that are taken, and no others",
      example: ["RS256"],
    }),
    secret: z.string().min(secretAlgorithms.HS256).max(1_000).optional().meta({
      description: "The secret of HS256 (at least 32 bytes), HS384 (48) and HS512 (64)",
      secret: "encrypted",
      example: "${env:TOKEN_SECRET}",
    }),
    publicKey: z.string().max(20_000).superRefine((text, context) => {
      const message = publicKeyProblem(text);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    }).optional().meta({
      description: "The issuer's public key, as PEM text or as a JSON Web Key",
      example: "${file:issuer.pem}",
    }),
    jwksUrl: secureUrl.optional().meta({
      description: "Where the issuer publishes its public keys (JWKS)",
      example: "https://login.example.com/.well-known/jwks.json",
    }),
    jwksMaxAgeSeconds: z.int().min(10).max(604_800).default(3_600).meta({
      description: "How old the keys may become before they are fetched anew",
      example: 3_600,
    }),
    jwksCooldownSeconds: z.int().min(1).max(86_400).default(30).meta({
      description: "Least time between two fetches, whatever tokens name",
      example: 30,
    }),
    tlsCa: certificateAuthorities.optional().meta({
      description: "Authorities that the JWKS address is checked against, instead of the system's",
      example: "${file:ca.pem}",
    }),
    issuer: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional().meta({
      description: "What the claim iss must be, or a list of which any one will do",
      example: "https://login.example.com/",
    }),
    audience: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional().meta({
      description: "What the claim aud must hold, or a list of which any one will do",
      example: "https://api.example.com",
    }),
    clockSkewSeconds: z.int().min(0).max(3_600).default(30).meta({
      description: "How far the issuer's clock may be off",
      example: 30,
    }),
    requiredClaims: z.array(z.string().min(1).max(200)).max(100).optional().meta({
      description: "Claims that a token must have; exp is always one of them",
      example: ["sub", "scope"],
    }),
    tokenType: z.string().min(1).max(100).optional().meta({
      description: "What the token's header typ must be, such as at+jwt; default: anything",
      example: "at+jwt",
    }),
    subjectClaim: claimPath.default("sub").meta({
      description: "The claim that names the client; dots lead into objects",
      example: "sub",
    }),
    rolesClaim: claimPath.optional().meta({
      description: "The claim with the client's roles, a list or words; dots lead into objects",
      example: "realm_access.roles",
    }),
  }).superRefine((spec, context) => {
    for (const { path, message } of contradictions(spec)) {
      context.addIssue({ code: "custom", path: [path], message });
    }
  }),
  references: [],
  conflict: ({ algorithms, secret }) =>
    usesSecret(algorithms) && secret === undefined ? "HS algorithms need a secret" : undefined,
});

/** True for algorithms whose secret both sides know. */
export function usesSecret(algorithms: readonly string[]): boolean {
  return algorithms.some(isSecretAlgorithm);
}

interface KeyFields {
  readonly algorithms: readonly string[];
  readonly secret?: string | undefined;
  readonly publicKey?: string | undefined;
  readonly jwksUrl?: string | undefined;
}

/** A secret goes with HS algorithms only and a public key with the others, never both. */
function* contradictions({ algorithms, secret, publicKey, jwksUrl }: KeyFields) {
  const taken = algorithms.filter(isSecretAlgorithm);
  if (taken.length > 0 && taken.length < algorithms.length) {
    yield { path: "algorithms", message: "HS algorithms cannot stand beside others" };
  }
  const wantsSecret = taken.length > 0;
  if (wantsSecret && (publicKey !== undefined || jwksUrl !== undefined)) {
    yield { path: "algorithms", message: "HS algorithms use a secret, not public keys" };
  }
  if (!wantsSecret && (publicKey === undefined) === (jwksUrl === undefined)) {
    yield { path: "publicKey", message: "Say either publicKey or jwksUrl" };
  }
  // A sealed secret is longer than any that is wanted; what it was sealed from has been checked.
  const bytes = secret === undefined ? Infinity : new TextEncoder().encode(secret).length;
  const bytesMin = Math.max(0, ...taken.map((algorithm) => secretAlgorithms[algorithm]));
  if (bytes < bytesMin) {
    yield { path: "secret", message: `These algorithms need at least ${bytesMin} bytes` };
  }
}

function isSecretAlgorithm(algorithm: string): algorithm is SecretAlgorithm {
  return Object.hasOwn(secretAlgorithms, algorithm);
}
