import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { sha256Hex } from "./canonical-json.ts";
import { delay } from "./wait.ts";

export interface TakeFileOptions {
  /** Default 0600. */
  readonly mode?: number;
  /** Whether the content was left behind by a holder that is gone. */
  readonly isStale: (content: string) => boolean;
}

/**
 * Makes a file that only one of any number of processes can have: resolves with undefined when it
 * is ours, else with the content of who holds it. A stale one is replaced; exactly one wins it.
 */
export async function takeFile(
  path: string,
  content: string,
  { mode = 0o600, isStale }: TakeFileOptions,
): Promise<string | undefined> {
  const own = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(own, content, { mode, flag: "wx" });
  try {
    for (;;) {
      // A link appears with its content or not at all, and never replaces another.
      if (await linkUnlessTaken(own, path)) return undefined;
      const holder = await readTextIfThere(path);
      if (holder === undefined) continue;
      if (!isStale(holder)) return holder;
      await removeStale(path, holder);
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** The file's text; undefined when there is no such file. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function linkUnlessTaken(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/**
 * Removes a stale file, and never a live one that has taken its place: only who holds the lock named
 * after the stale content may remove it, and while it stands, nobody can put another one there.
 */
async function removeStale(path: string, stale: string): Promise<void> {
  const lock = `${path}.${sha256Hex(stale).slice(0, 16)}.lock`;
  try {
    await mkdir(lock);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    await breakOldLock(lock);
    await delay(5);
    return;
  }
  try {
    if (await readTextIfThere(path) === stale) await rm(path, { force: true });
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** A lock is held for a moment only: an old one was left behind by a crash. */
async function breakOldLock(lock: string): Promise<void> {
  const madeAt = await stat(lock).then(({ mtimeMs }) => mtimeMs, () => Date.now());
  if (Date.now() - madeAt > 10_000) await rm(lock, { recursive: true, force: true });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
