import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";

/** What a path below a directory of files stands for. */
type StaticTarget =
  | { readonly type: "file"; readonly path: string }
  | { readonly type: "directory"; readonly path: string }
  | { readonly type: "none" };

const none: StaticTarget = { type: "none" };

interface StaticPathOptions {
  /** Absolute. */
  readonly directory: string;
  /** Whether names that begin with a dot are served. */
  readonly dotFiles: boolean;
}

/**
 * Finds what a decoded path leads to. Nothing outside of the directory is ever found: names that
 * climb, hide a separator or end a text early are refused by how they are written, and where links
 * lead is looked at after that. Rejects when the directory itself cannot be read.
 */
export async function findStatic(
  path: string,
  { directory, dotFiles }: StaticPathOptions,
): Promise<StaticTarget> {
  const names = path.split("/").filter((name, index, all) => {
    return name !== "" || index < all.length - 1; // "docs/" and "docs" are one directory
  });
  if (!names.every((name) => isSafeName(name, dotFiles))) return none;
  const root = await realpath(directory);
  let real: string;
  try {
    real = await realpath(join(root, ...names));
  } catch (error) {
    if (isMissing(error)) return none;
    throw error;
  }
  if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) return none;
  // A link may lead to what must not be seen by its own name.
  const inside = real.slice(root.length).split(sep).filter((name) => name !== "");
  if (!inside.every((name) => isSafeName(name, dotFiles))) return none;
  const found = await stat(real);
  if (found.isFile()) return { type: "file", path: real };
  return found.isDirectory() ? { type: "directory", path: real } : none;
}

function isSafeName(name: string, dotFiles: boolean): boolean {
  if (name === "" || name === "." || name === "..") return false;
  if (name.startsWith(".") && !dotFiles) return false;
  return !/[\\/\p{Cc}]/u.test(name);
}

const missing = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EACCES", "EINVAL"]);

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && missing.has(String(error.code));
}
