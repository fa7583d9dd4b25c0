import { timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { defineKind, type StoredObject } from "../catalog/kind.ts";
import type { PasswordChecks } from "./password-checks.ts";
import { sealedHash } from "./secrets.ts";
import { SeenCredentials } from "./seen-credentials.ts";

export const basicAuth = defineKind({
  kind: "BasicAuth",
  group: "security",
  description: "A user name and a password, sent by clients as HTTP Basic authentication",
  schema: z.strictObject({
    username: z.string().min(1).max(200).regex(
      /^[^:\p{Cc}]+$/u,
      "A user name has no colon and no control characters",
    ).meta({ description: "The name that clients send", example: "crm-client" }),
    password: z.string().min(1).max(1_000).meta({
      description: "The password that clients send",
      secret: "password",
      example: "${env:CRM_PASSWORD}",
    }),
    realm: z.string().min(1).max(200).regex(
      /^[^"\\\p{Cc}]+$/u,
      'A realm has no ", no \\ and no control characters',
    ).default("dragoman").meta({
      description: "What clients that ask a person for the password show",
      example: "CRM",
    }),
  }),
  references: [],
});

/** Outcomes remembered for each definition; passwords are few, guesses can be many. */
const rememberedMax = 1_000;

/** Checks credentials against one definition. Keep it for as long as the definition's revision. */
export class BasicAuthChecker {
  readonly name: string;
  readonly realm: string;
  readonly #username: Buffer;
  readonly #hash: string;
  readonly #accepted = new SeenCredentials<true>(rememberedMax);
  // Apart from the accepted ones, which a flood of guesses must not push out.
  readonly #refused = new SeenCredentials<true>(rememberedMax);

  /** Throws SECURITY_SEAL_BROKEN, or a zod error for a broken spec. */
  constructor({ kind, name, spec }: Pick<StoredObject, "kind" | "name" | "spec">) {
    const { username, password, realm } = basicAuth.schema.parse(spec);
    this.name = name;
    this.realm = realm;
    this.#username = Buffer.from(username);
    this.#hash = sealedHash({ kind, name, field: "password" }, password);
  }

  /** What was found out about these credentials before. */
  remembered(digest: string): "accepted" | "refused" | undefined {
    if (this.#accepted.get(digest) !== undefined) return "accepted";
    return this.#refused.get(digest) === undefined ? undefined : "refused";
  }

  hasUsername(username: string): boolean {
    const sent = Buffer.from(username);
    return sent.length === this.#username.length && timingSafeEqual(sent, this.#username);
  }

  /**
   * The slow check. A wrong user name costs the same as a wrong password, so that the time does
   * not tell which of them it was. Throws what `PasswordChecks.verify` throws.
   */
  async check(
    { username, password, digest }: Credentials,
    { checks, caller }: { readonly checks: PasswordChecks; readonly caller: string },
  ): Promise<boolean> {
    const known = this.hasUsername(username);
    const bucket = known ? `${caller} ${username}` : caller;
    const right = await checks.verify(password, this.#hash, bucket) && known;
    (right ? this.#accepted : this.#refused).set(digest, true);
    return right;
  }
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** What the credentials are remembered by. */
  readonly digest: string;
}

/** Reads `Authorization: Basic ...`; undefined when it is something else or malformed. */
export function parseBasic(header: string): Omit<Credentials, "digest"> | undefined {
  const encoded = /^basic +([a-z0-9+/=_-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
