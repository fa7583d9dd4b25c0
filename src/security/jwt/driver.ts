import { createSecretKey } from "node:crypto";
import type { StoredObject } from "../../catalog/kind.ts";
import {
  type Authenticator,
  type Member,
  securityDriver,
  type SecurityTools,
} from "../authenticator.ts";
import type { Principal } from "../principal.ts";
import { unsealField } from "../secrets.ts";
import { credentialDigest } from "../seen-credentials.ts";
import { claimAt, rolesIn } from "./claims.ts";
import { jwt, usesSecret } from "./index.ts";
import { KeySet } from "./key-set.ts";
import { parsePublicKey } from "./public-key.ts";
import { TokenVerifier, type VerifiedToken } from "./token-verifier.ts";

/** No honest token is longer; header lines are limited to about as much. */
const tokenLengthMax = 16_384;

interface PreparedJwt {
  readonly verifier: TokenVerifier;
  readonly subjectClaim: string;
  readonly rolesClaim: string | undefined;
}

/**
 * Checks Jwt definitions. Waits for a signature that has not been seen yet, and for keys. Throws
 * REQUEST_TOO_MANY_ATTEMPTS for whoever sends many tokens that are not valid.
 */
export const driver = securityDriver<PreparedJwt>({
  prepare(object, tools) {
    const { spec, verifier } = readDefinition(object, tools);
    return { verifier, subjectClaim: spec.subjectClaim, rolesClaim: spec.rolesClaim };
  },
  combine(members, { signatureFailures }): Authenticator {
    return {
      challenges: ["Bearer"],
      readsAuthorization: true,
      schemes: [{
        name: "Jwt",
        scheme: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
      }],
      check(request) {
        const token = bearerToken(request.headers.get("authorization"));
        if (token === undefined) return undefined;
        const digest = credentialDigest(token);
        for (const member of members) {
          const known = member.prepared.verifier.remembered(digest);
          if (known !== undefined) return principalOf(member, known);
        }
        const open = members.filter(({ prepared }) => !prepared.verifier.isRefused(digest));
        if (open.length === 0) return undefined;
        const { remoteAddress } = request;
        signatureFailures.check(remoteAddress);
        return checkSlowly(open, { token, digest }, () => signatureFailures.count(remoteAddress));
      },
    };
  },
});

async function checkSlowly(
  members: readonly Member<PreparedJwt>[],
  { token, digest }: { readonly token: string; readonly digest: string },
  countFailure: () => void,
): Promise<Principal | undefined> {
  let refusal: unknown;
  let wasChecked = false;
  for (const member of members) {
    try {
      const verified = await member.prepared.verifier.verify(token, digest);
      if (verified === "refused") wasChecked = true;
      else if (verified !== undefined) return principalOf(member, verified);
    } catch (error) {
      refusal ??= error; // another definition may know the token
    }
  }
  if (wasChecked) countFailure();
  if (refusal !== undefined) throw refusal;
  return undefined;
}

/** The token of `Authorization: Bearer ...` when it has the form of a signed JWT. */
function bearerToken(header: string | null): string | undefined {
  if (header === null || header.length > tokenLengthMax) return undefined;
  return /^bearer +([\w-]+\.[\w-]+\.[\w-]+) *$/i.exec(header)?.[1];
}

function principalOf(
  { prepared: { subjectClaim, rolesClaim }, principal }: Member<PreparedJwt>,
  { claims }: VerifiedToken,
): Principal {
  const subject = claimAt(claims, subjectClaim);
  const roles = rolesClaim === undefined ? [] : rolesIn(claimAt(claims, rolesClaim));
  return {
    ...principal,
    roles: [...principal.roles, ...roles],
    ...(typeof subject === "string" ? { subject } : {}),
    claims,
  };
}

function readDefinition(object: StoredObject, { key, logger }: SecurityTools) {
  const { kind, name } = object;
  const spec = jwt.schema.parse(object.spec);
  const { secret, publicKey, jwksUrl } = spec;
  // By the algorithms: a definition may still have the secret of a time when it had others.
  const keys = usesSecret(spec.algorithms)
    ? createSecretKey(unsealField({ kind, name, field: "secret" }, secret, key), "utf8")
    : publicKey !== undefined
    ? parsePublicKey(publicKey)
    : new KeySet({
      url: jwksUrl!, // the schema wants one of the three
      ca: spec.tlsCa,
      maxAgeMs: spec.jwksMaxAgeSeconds * 1_000,
      cooldownMs: spec.jwksCooldownSeconds * 1_000,
      logger: logger.child({ kind, name, url: jwksUrl }),
    });
  if (keys instanceof KeySet) keys.refresh(); // so that the first client need not wait for it
  return { spec, verifier: new TokenVerifier(keys, spec) };
}
