import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { PlatformError } from "../errors/platform-error.ts";

/** The key of a cluster, taken apart into one key a purpose. */
export interface ClusterKey {
  /** Names the key without telling anything of it: 8 hexadecimal digits. */
  readonly id: string;
  /** For the digests of tokens. */
  readonly digestKey: Uint8Array;
  /** For AES-256-GCM. */
  readonly encryptionKey: Uint8Array;
}

/** A new cluster key: 32 random bytes as base64url. */
export function generateClusterKey(): string {
  return randomBytes(32).toString("base64url");
}

/** Reads a cluster key; throws SECURITY_KEY_INVALID without quoting it. */
export function parseClusterKey(text: string): ClusterKey {
  const bytes = Buffer.from(text, "base64url");
  // Re-encoding finds characters that the decoder skips and bits that it drops.
  if (bytes.length !== 32 || bytes.toString("base64url") !== text) {
    throw new PlatformError("SECURITY_KEY_INVALID");
  }
  const derive = (purpose: string, length: number) =>
    new Uint8Array(hkdfSync("sha256", bytes, "dragoman", purpose, length));
  return {
    id: Buffer.from(derive("key id", 4)).toString("hex"),
    digestKey: derive("token digest", 32),
    encryptionKey: derive("encryption", 32),
  };
}

/** The keyed digest under which a token is stored and looked up. */
export function tokenDigest(token: string, { digestKey }: ClusterKey): string {
  return createHmac("sha256", digestKey).update(token).digest("base64url");
}

/** Encrypts as `<iv>.<ciphertext>.<tag>` (base64url), bound to `context`. */
export function encrypt(text: string, context: string, { encryptionKey }: ClusterKey): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", encryptionKey, iv);
  cipher.setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return [iv, sealed, cipher.getAuthTag()].map((part) => part.toString("base64url")).join(".");
}

/** Undoes `encrypt`; undefined when the text was changed, moved or sealed with another key. */
export function decrypt(
  text: string,
  context: string,
  { encryptionKey }: ClusterKey,
): string | undefined {
  const [iv, sealed, tag] = text.split(".").map((part) => Buffer.from(part, "base64url"));
  if (iv?.length !== 12 || sealed === undefined || tag?.length !== 16) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", encryptionKey, iv);
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString("utf8");
  } catch {
    return undefined; // the tag does not fit
  }
}

const checkText = "dragoman cluster key";

/** A known text sealed with the key. Kept beside the cluster, it tells a wrong key at start. */
export function keyCheck(key: ClusterKey): string {
  return `dragoman:aes:${key.id}:${encrypt(checkText, "key check", key)}`;
}

/** True when `check` was made with this key. */
export function verifyKeyCheck(check: string, key: ClusterKey): boolean {
  const [, , id, text = ""] = check.split(":");
  return id === key.id && decrypt(text, "key check", key) === checkText;
}
