import type { StoredObject } from "../catalog/kind.ts";
import { apiKey } from "./api-key.ts";
import { type BasicAuthChecker, type Credentials, parseBasic } from "./basic-auth.ts";
import { type ClusterKey, tokenDigest } from "./cluster-key.ts";
import type { PasswordChecks } from "./password-checks.ts";
import type { Principal } from "./principal.ts";
import { sealedDigest } from "./secrets.ts";
import { credentialDigest } from "./seen-credentials.ts";

/** The definitions that protect one channel; any of them suffices. */
export interface Guard {
  /** For `WWW-Authenticate`, when nobody is let in. */
  readonly challenge: string;
  /**
   * Who sends these headers; undefined when that is nobody known. Waits only for a password that
   * has not been seen yet. Throws what `PasswordChecks.verify` throws.
   */
  check(
    headers: Headers,
    caller: Caller,
  ): Principal | undefined | Promise<Principal | undefined>;
}

/** Where the request comes from, looked up only when something has to be counted against it. */
export interface Caller {
  readonly remoteAddress: string;
}

export interface GuardOptions {
  readonly key: ClusterKey;
  readonly checks: PasswordChecks;
}

/** One definition as guards use it. */
export type GuardDefinition =
  | {
    readonly kind: "ApiKey";
    readonly name: string;
    readonly header: string;
    readonly digest: string;
  }
  | { readonly kind: "BasicAuth"; readonly name: string; readonly checker: BasicAuthChecker };

/** Prepares an ApiKey object. Throws SECURITY_*, or a zod error for a broken spec. */
export function apiKeyDefinition(
  { kind, name, spec }: Pick<StoredObject, "kind" | "name" | "spec">,
  clusterKey: ClusterKey,
): GuardDefinition {
  const { header, key } = apiKey.schema.parse(spec);
  const digest = sealedDigest({ kind, name, field: "key" }, key, clusterKey);
  return { kind: "ApiKey", name, header: header.toLowerCase(), digest };
}

/** Makes the guard of a channel. */
export function compileGuard(
  definitions: readonly GuardDefinition[],
  options: GuardOptions,
): Guard {
  const keys = compileKeys(definitions, options.key);
  const checkers = definitions.flatMap((one) => one.kind === "BasicAuth" ? [one.checker] : []);
  const challenges = [...new Set(checkers.map(({ realm }) => basicChallenge(realm)))];
  if (keys.length > 0) challenges.push("ApiKey");
  return {
    challenge: challenges.join(", "),
    check(headers, caller) {
      for (const { header, find } of keys) {
        const token = headers.get(header);
        const principal = token === null ? undefined : find(token);
        if (principal !== undefined) return principal;
      }
      if (checkers.length === 0) return undefined;
      const authorization = headers.get("authorization");
      return authorization === null
        ? undefined
        : checkBasic(checkers, authorization, { caller, checks: options.checks });
    },
  };
}

interface KeyHeader {
  readonly header: string;
  readonly find: (token: string) => Principal | undefined;
}

// Keys are found by their keyed digest, never compared character by character. That digest costs
// 10 us, so that keys which were accepted are found by themselves from then on: a look-up in a Map
// compares hashes of whole texts, under a seed of this process, and tells nothing by its time.
function compileKeys(definitions: readonly GuardDefinition[], key: ClusterKey): KeyHeader[] {
  const byHeader = new Map<string, Map<string, Principal>>();
  for (const definition of definitions) {
    if (definition.kind !== "ApiKey") continue;
    const { header, digest, kind, name } = definition;
    const byDigest = byHeader.get(header) ?? new Map<string, Principal>();
    byDigest.set(digest, { kind, name });
    byHeader.set(header, byDigest);
  }
  return [...byHeader].map(([header, byDigest]) => {
    const accepted = new Map<string, Principal>();
    const find = (token: string) => {
      const known = accepted.get(token);
      if (known !== undefined) return known;
      const principal = byDigest.get(tokenDigest(token, key));
      if (principal !== undefined) accepted.set(token, principal);
      return principal;
    };
    return { header, find };
  });
}

function basicChallenge(realm: string): string {
  return `Basic realm="${realm}", charset="UTF-8"`;
}

function checkBasic(
  checkers: readonly BasicAuthChecker[],
  authorization: string,
  options: { readonly caller: Caller; readonly checks: PasswordChecks },
): Principal | undefined | Promise<Principal | undefined> {
  const digest = credentialDigest(authorization);
  const open: BasicAuthChecker[] = [];
  for (const checker of checkers) {
    const outcome = checker.remembered(digest);
    if (outcome === "accepted") return principalOf(checker);
    if (outcome === undefined) open.push(checker);
  }
  const credentials = open.length === 0 ? undefined : parseBasic(authorization);
  if (credentials === undefined) return undefined;
  return tryCheckers(open, { ...credentials, digest }, options);
}

async function tryCheckers(
  checkers: readonly BasicAuthChecker[],
  credentials: Credentials,
  { caller, checks }: { readonly caller: Caller; readonly checks: PasswordChecks },
): Promise<Principal | undefined> {
  const named = checkers.filter((checker) => checker.hasUsername(credentials.username));
  // A name that nobody has is checked as well, once, to take as long as one that somebody has.
  for (const checker of named.length > 0 ? named : checkers.slice(0, 1)) {
    if (await checker.check(credentials, { caller: caller.remoteAddress, checks })) {
      return principalOf(checker);
    }
  }
  return undefined;
}

function principalOf({ name }: BasicAuthChecker): Principal {
  return { kind: "BasicAuth", name };
}
