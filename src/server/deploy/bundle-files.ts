import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import { sha256Hex } from "../../lib/canonical-json.ts";
import type { BundleKey, NewBundle } from "../../odb/types.ts";
import type { BundleFile } from "../worker/protocol.ts";

/** How long a module's top-level code may take. */
export const loadLimitMs = 15_000;

/**
 * A server's copies of bundles: `<hash>.mjs` and `<hash>.mjs.map` in one directory. A file is
 * believed only when its content has the hash that its name says.
 */
export class BundleFiles {
  readonly #directory: string;
  readonly #verified = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  path(hash: string): string {
    return join(this.#directory, `${hash}.mjs`);
  }

  /**
   * Makes sure that the bundle is on disk and whole; `fetch` is asked only when it is not. What was
   * found whole once is not read again, unless `anew` is set.
   */
  async ensure(
    key: BundleKey,
    fetch: (hash: string) => Promise<NewBundle | undefined>,
    { anew = false }: { readonly anew?: boolean } = {},
  ): Promise<BundleFile> {
    const path = this.path(key.hash);
    if (anew) this.#verified.delete(key.hash);
    if (!this.#verified.has(key.hash) && !(await isWhole(path))) {
      const bundle = await fetch(key.hash);
      if (bundle === undefined || sha256Hex(bundle.code) !== key.hash) {
        throw new PlatformError("DEPLOY_HASH", { file: key.file, hash: key.hash });
      }
      await this.store(bundle);
    }
    this.#verified.add(key.hash);
    return { ...key, path };
  }

  /**
   * Writes a bundle. The map goes first: where the code is, its map is. Throws DEPLOY_NOT_STORED
   * when the disk does not take it.
   */
  async store({ file, hash, code, sourceMap }: NewBundle): Promise<void> {
    const path = this.path(hash);
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFileAtomic(`${path}.map`, sourceMap);
      await writeFileAtomic(path, `${code}${mapComment(hash)}`);
    } catch (error) {
      const params = { file, directory: this.#directory, reason: reasonOf(error) };
      throw new PlatformError("DEPLOY_NOT_STORED", params, { cause: error });
    }
  }

  /**
   * Deletes bundles that are not in `keep` and were written more than an hour ago: younger ones may
   * be on trial, or what a worker falls back to.
   */
  async prune(keep: ReadonlySet<string>): Promise<void> {
    const before = Date.now() - 3_600_000;
    for (const name of await readdir(this.#directory).catch(() => [])) {
      const hash = name.split(".")[0] ?? "";
      const path = join(this.#directory, name);
      if (keep.has(hash) || (await stat(path)).mtimeMs > before) continue;
      this.#verified.delete(hash);
      await rm(path, { force: true });
    }
  }
}

/**
 * Looks once more at a bundle that is about to be run and returns its size in bytes: a disk may
 * have damaged it since it was written. Throws DEPLOY_DAMAGED.
 */
export async function checkBundle(path: string): Promise<number> {
  const code = await readCode(path);
  if (code === undefined) throw new PlatformError("DEPLOY_DAMAGED", { path });
  return code.length;
}

async function isWhole(path: string): Promise<boolean> {
  return (await readCode(path)) !== undefined;
}

/** The code of a bundle that has the hash in its name; undefined: it is damaged, or not there. */
async function readCode(path: string): Promise<Buffer | undefined> {
  const hash = basename(path, ".mjs");
  const comment = Buffer.from(mapComment(hash));
  const file = await readFile(path).catch(() => undefined);
  if (file === undefined || !file.subarray(-comment.length).equals(comment)) return undefined;
  const code = file.subarray(0, -comment.length);
  return sha256Hex(code) === hash ? code : undefined;
}

function mapComment(hash: string): string {
  return `\n//# sourceMappingURL=${hash}.mjs.map\n`;
}
