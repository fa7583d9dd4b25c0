import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from "node:crypto";

// OWASP's minimum for scrypt (N = 2^17, r = 8, p = 1) costs 128 MiB a check; 2^15 with p = 3 is its
// listed equivalent at 32 MiB, which a server under load can afford.
const cost = { N: 2 ** 15, r: 8, p: 3 } as const;
const keyBytes = 32;
const memoryBytesMax = 256 * 1024 * 1024;

/** Hashes a password as `scrypt$N$r$p$salt$key` (base64url). Takes about 100 ms by design. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, cost);
  const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  return ["scrypt", cost.N, cost.r, cost.p, encode(salt), encode(key)].join("$");
}

/** True when `password` is the one that was hashed. A malformed hash matches nothing. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const parsed = parseHash(hash);
  if (parsed === undefined) return false;
  const { options, salt, wanted } = parsed;
  const found = await derive(password, salt, options);
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

interface ParsedHash {
  readonly options: { readonly N: number; readonly r: number; readonly p: number };
  readonly salt: Uint8Array;
  readonly wanted: Uint8Array;
}

function parseHash(hash: string): ParsedHash | undefined {
  const match = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([\w-]+)\$([\w-]+)$/.exec(hash);
  if (match === null) return undefined;
  const [, N = 0, r = 0, p = 0] = match.map(Number);
  const isPowerOfTwo = N > 1 && (N & (N - 1)) === 0;
  // Whoever can write a hash must not be able to make us spend gigabytes or minutes on it.
  if (!isPowerOfTwo || r < 1 || p < 1 || 128 * N * r > memoryBytesMax / 2 || p > 16) {
    return undefined;
  }
  const salt = Buffer.from(match[4]!, "base64url");
  return { options: { N, r, p }, salt, wanted: Buffer.from(match[5]!, "base64url") };
}

function derive(password: string, salt: Uint8Array, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const limits = { ...options, maxmem: memoryBytesMax };
    scrypt(password.normalize("NFKC"), salt, keyBytes, limits, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
