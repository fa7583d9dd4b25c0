import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from "node:crypto";

// OWASP's minimum for scrypt (N = 2^17, r = 8, p = 1) costs 128 MiB a check; 2^15 with p = 3 is its
// listed equivalent at 32 MiB, which a server under load can afford.
const cost = { N: 2 ** 15, r: 8, p: 3 } as const;
const keyBytes = 32;

/** Hashes a password as `scrypt$N$r$p$salt$key` (base64url). Takes about 100 ms by design. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, cost);
  const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  return ["scrypt", cost.N, cost.r, cost.p, encode(salt), encode(key)].join("$");
}

/** True when `password` is the one that was hashed. A malformed hash matches nothing. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [scheme, N, r, p, salt, key] = hash.split("$");
  if (scheme !== "scrypt" || salt === undefined || key === undefined) return false;
  const wanted = Buffer.from(key, "base64url");
  const options = { N: Number(N), r: Number(r), p: Number(p) };
  const found = await derive(password, Buffer.from(salt, "base64url"), options);
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

function derive(password: string, salt: Uint8Array, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const limits = { ...options, maxmem: 256 * 1024 * 1024 };
    scrypt(password.normalize("NFKC"), salt, keyBytes, limits, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
