import { type Authenticator, type Member, securityDriver } from "./authenticator.ts";
import { basicAuth } from "./basic-auth.ts";
import type { PasswordChecks } from "./password-checks.ts";
import type { Principal } from "./principal.ts";
import { sealedHash } from "./secrets.ts";
import { credentialDigest, SeenCredentials } from "./seen-credentials.ts";

/**
 * Checks BasicAuth definitions, found by their user names. Waits only for a password that has not
 * been seen yet. Throws what `PasswordChecks.verify` throws.
 */
export const driver = securityDriver<BasicAuthChecker>({
  prepare({ kind, name, spec }) {
    const { username, password, realm } = basicAuth.schema.parse(spec);
    const hash = sealedHash({ kind, name, field: "password" }, password);
    return new BasicAuthChecker({ username, hash, realm });
  },
  combine(members, { checks }): Authenticator {
    const named = Map.groupBy(members, ({ prepared }) => prepared.username);
    // A name that nobody has is checked as well, once, to take as long as one that somebody has.
    const nobody = members.slice(0, 1);
    return {
      challenges: [...new Set(members.map(({ prepared }) => basicChallenge(prepared.realm)))],
      readsAuthorization: true,
      schemes: [{ name: "BasicAuth", scheme: { type: "http", scheme: "basic" } }],
      check(request) {
        const authorization = request.headers.get("authorization");
        const parsed = authorization === null ? undefined : parseBasic(authorization);
        if (parsed === undefined) return undefined;
        const credentials = { ...parsed, digest: credentialDigest(authorization!) };
        const candidates = named.get(parsed.username) ?? nobody;
        const open: Member<BasicAuthChecker>[] = [];
        for (const candidate of candidates) {
          const outcome = candidate.prepared.remembered(credentials.digest);
          if (outcome === "accepted") return candidate.principal;
          if (outcome === undefined) open.push(candidate);
        }
        if (open.length === 0) return undefined;
        return checkSlowly(open, credentials, { caller: request.remoteAddress, checks });
      },
    };
  },
});

interface Credentials {
  readonly username: string;
  readonly password: string;
  /** What the credentials are remembered by. */
  readonly digest: string;
}

interface CheckOptions {
  readonly caller: string;
  readonly checks: PasswordChecks;
}

/** Outcomes remembered for each definition; passwords are few, guesses can be many. */
const rememberedMax = 1_000;

/** One definition, and what was found out about credentials. */
class BasicAuthChecker {
  readonly username: string;
  readonly realm: string;
  readonly #hash: string;
  readonly #accepted = new SeenCredentials<true>(rememberedMax);
  // Apart from the accepted ones, which a flood of guesses must not push out.
  readonly #refused = new SeenCredentials<true>(rememberedMax);

  constructor(
    { username, hash, realm }: {
      readonly username: string;
      readonly hash: string;
      readonly realm: string;
    },
  ) {
    this.username = username;
    this.realm = realm;
    this.#hash = hash;
  }

  remembered(digest: string): "accepted" | "refused" | undefined {
    if (this.#accepted.get(digest) !== undefined) return "accepted";
    return this.#refused.get(digest) === undefined ? undefined : "refused";
  }

  /** The slow check. A wrong user name costs the same as a wrong password, and tells the same. */
  async check(
    { username, password, digest }: Credentials,
    { caller, checks }: CheckOptions,
  ): Promise<boolean> {
    const known = username === this.username;
    const bucket = known ? `${caller} ${username}` : caller;
    const right = await checks.verify(password, this.#hash, bucket) && known;
    (right ? this.#accepted : this.#refused).set(digest, true);
    return right;
  }
}

async function checkSlowly(
  members: readonly Member<BasicAuthChecker>[],
  credentials: Credentials,
  options: CheckOptions,
): Promise<Principal | undefined> {
  for (const { prepared, principal } of members) {
    if (await prepared.check(credentials, options)) return principal;
  }
  return undefined;
}

/** Reads `Authorization: Basic ...`; undefined when it is something else or malformed. */
function parseBasic(header: string): Omit<Credentials, "digest"> | undefined {
  const encoded = /^basic +([a-z0-9+/=_-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function basicChallenge(realm: string): string {
  return `Basic realm="${realm}", charset="UTF-8"`;
}
