import { timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Kind, SecretMode } from "../catalog/kind.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { type ClusterKey, decrypt, encrypt, tokenDigest } from "./cluster-key.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";

/** What sealed values begin with; no secret of a user may. */
const sealMark = "dragoman:";

/**
 * A sealed value, by mode: `dragoman:scrypt:<hash>` (password),
 * `dragoman:hmac:<key id>:<digest>` (token), `dragoman:aes:<key id>:<iv>.<text>.<tag>` (encrypted).
 */
const schemes = { password: "scrypt", token: "hmac", encrypted: "aes" } as const satisfies Record<
  SecretMode,
  string
>;

type Spec = Readonly<Record<string, unknown>>;

export interface SealOptions {
  readonly key: ClusterKey;
  /** The object's name. */
  readonly name: string;
  /** The spec as it is stored now: secrets left out or unchanged keep their sealed text. */
  readonly previous?: Spec;
}

/** The secret fields of a kind and how each is kept. Only top-level fields can be secret. */
export function secretFields(kind: Kind): ReadonlyMap<string, SecretMode> {
  const known = fieldsOfKind.get(kind);
  if (known !== undefined) return known;
  const fields = new Map<string, SecretMode>();
  for (const [field, schema] of Object.entries(kind.schema.shape)) {
    const mode = secretMode(schema);
    if (mode !== undefined) fields.set(field, mode);
  }
  fieldsOfKind.set(kind, fields);
  return fields;
}

/** A kind's schema in which secrets may be left out, as updates and stored specs are written. */
export function schemaWithoutSecrets(kind: Kind): z.ZodObject {
  const { shape } = kind.schema;
  const fields = [...secretFields(kind).keys()];
  // Not `partial`, which takes no schema whose fields are checked against each other.
  return kind.schema.safeExtend(
    Object.fromEntries(fields.map((field) => [field, z.optional(shape[field]!)])), // its own fields
  );
}

/**
 * Replaces every secret of a validated spec by its sealed text. Throws SECURITY_SECRET_MISSING and
 * SECURITY_SECRET_RESERVED.
 */
export async function sealSpec(
  kind: Kind,
  spec: Spec,
  { key, name, previous = {} }: SealOptions,
): Promise<Record<string, unknown>> {
  const sealed: Record<string, unknown> = { ...spec };
  for (const [field, mode] of secretFields(kind)) {
    const value = spec[field];
    const before = previous[field];
    const place = { kind: kind.kind, name, field };
    if (typeof value !== "string" || value === "") {
      if (typeof before === "string") sealed[field] = before;
      else if (isRequired(kind, field)) throw new PlatformError("SECURITY_SECRET_MISSING", place);
      continue;
    }
    if (value.startsWith(sealMark)) throw new PlatformError("SECURITY_SECRET_RESERVED", place);
    const context = contextOf(place);
    const same = typeof before === "string" && await matches(value, before, { mode, key, context });
    sealed[field] = same ? before : await seal(value, { mode, key, context });
  }
  return sealed;
}

/**
 * The clear text of an `encrypted` field. Throws SECURITY_KEY_OTHER when it was sealed with another
 * key and SECURITY_SEAL_BROKEN when it is damaged or was copied from another object.
 */
export function unsealField(
  place: { readonly kind: string; readonly name: string; readonly field: string },
  sealed: unknown,
  key: ClusterKey,
): string {
  const { scheme, keyId, body } = parseSealed(sealed);
  if (scheme !== "aes") throw new PlatformError("SECURITY_SEAL_BROKEN", place);
  refuseOtherKey(keyId, key);
  const text = decrypt(body, contextOf(place), key);
  if (text === undefined) throw new PlatformError("SECURITY_SEAL_BROKEN", place);
  return text;
}

/** The digest inside a sealed `token` field. Throws as `unsealField` does. */
export function sealedDigest(
  place: { readonly kind: string; readonly name: string; readonly field: string },
  sealed: unknown,
  key: ClusterKey,
): string {
  const { scheme, keyId, body } = parseSealed(sealed);
  if (scheme !== "hmac") throw new PlatformError("SECURITY_SEAL_BROKEN", place);
  refuseOtherKey(keyId, key);
  return body;
}

/** The hash inside a sealed `password` field. Throws SECURITY_SEAL_BROKEN. */
export function sealedHash(
  place: { readonly kind: string; readonly name: string; readonly field: string },
  sealed: unknown,
): string {
  const { scheme, body } = parseSealed(sealed);
  if (scheme !== "scrypt") throw new PlatformError("SECURITY_SEAL_BROKEN", place);
  return body;
}

/** A spec without its secret fields, as everyone outside sees it. */
export function redactSpec(kind: Kind, spec: Spec): Record<string, unknown> {
  const secret = secretFields(kind);
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !secret.has(field)));
}

interface SealContext {
  readonly mode: SecretMode;
  readonly key: ClusterKey;
  readonly context: string;
}

async function seal(value: string, { mode, key, context }: SealContext): Promise<string> {
  const scheme = `${sealMark}${schemes[mode]}`;
  switch (mode) {
    case "password":
      return `${scheme}:${await hashPassword(value)}`;
    case "token":
      return `${scheme}:${key.id}:${tokenDigest(value, key)}`;
    case "encrypted":
      return `${scheme}:${key.id}:${encrypt(value, context, key)}`;
  }
}

async function matches(
  value: string,
  sealed: string,
  { mode, key, context }: SealContext,
): Promise<boolean> {
  const { scheme, keyId, body } = parseSealed(sealed);
  if (scheme !== schemes[mode] || (keyId !== undefined && keyId !== key.id)) return false;
  switch (mode) {
    case "password":
      return await verifyPassword(value, body);
    case "token":
      return equalText(tokenDigest(value, key), body);
    case "encrypted":
      return equalText(decrypt(body, context, key) ?? "", value);
  }
}

interface Sealed {
  readonly scheme: string;
  readonly keyId: string | undefined;
  readonly body: string;
}

function parseSealed(sealed: unknown): Sealed {
  const text = typeof sealed === "string" && sealed.startsWith(sealMark) ? sealed : "";
  const [, scheme = "", ...rest] = text.split(":");
  const keyId = rest.length > 1 ? rest[0] : undefined;
  return { scheme, keyId, body: rest.at(-1) ?? "" };
}

function refuseOtherKey(keyId: string | undefined, key: ClusterKey): void {
  if (keyId === key.id) return;
  throw new PlatformError("SECURITY_KEY_OTHER", { sealed: keyId ?? "?", key: key.id });
}

// What a ciphertext is bound to, so that it cannot be moved to a field that shows it.
function contextOf({ kind, name, field }: { kind: string; name: string; field: string }): string {
  return `${kind}/${name}/${field}`;
}

function isRequired(kind: Kind, field: string): boolean {
  return kind.schema.shape[field]?.safeParse(undefined).success === false;
}

function secretMode(schema: unknown): SecretMode | undefined {
  let inner: unknown = schema;
  // Optional and default wrappers hold the schema that carries the mark under `def.innerType`.
  while (isZod(inner)) {
    const mode = inner.meta()?.secret;
    if (mode !== undefined) return mode;
    inner = "innerType" in inner.def ? inner.def.innerType : undefined;
  }
  return undefined;
}

function isZod(value: unknown): value is z.ZodType {
  return typeof value === "object" && value !== null && "_zod" in value;
}

function equalText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

const fieldsOfKind = new WeakMap<Kind, ReadonlyMap<string, SecretMode>>();
