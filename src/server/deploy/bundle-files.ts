import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { PlatformError } from "../../errors/platform-error.ts";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import { sha256Hex } from "../../lib/canonical-json.ts";
import type { BundleKey, NewBundle } from "../../odb/types.ts";
import type { BundleFile } from "../worker/protocol.ts";

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

  /** Makes sure that the bundle is on disk and whole; `fetch` is asked only when it is not. */
  async ensure(
    key: BundleKey,
    fetch: (hash: string) => Promise<NewBundle | undefined>,
  ): Promise<BundleFile> {
    const path = this.path(key.hash);
    if (!this.#verified.has(key.hash) && !(await this.#isWhole(key.hash))) {
      const bundle = await fetch(key.hash);
      if (bundle === undefined || sha256Hex(bundle.code) !== key.hash) {
        throw new PlatformError("DEPLOY_HASH", { file: key.file, hash: key.hash });
      }
      await this.store(bundle);
    }
    this.#verified.add(key.hash);
    return { ...key, path };
  }

  /** Writes a bundle. The map goes first: where the code is, its map is. */
  async store(bundle: NewBundle): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const path = this.path(bundle.hash);
    await writeFileAtomic(`${path}.map`, bundle.sourceMap);
    await writeFileAtomic(path, `${bundle.code}${mapComment(bundle.hash)}`);
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

  async #isWhole(hash: string): Promise<boolean> {
    const text = await readFile(this.path(hash), "utf8").catch(() => undefined);
    const comment = mapComment(hash);
    return text?.endsWith(comment) === true && sha256Hex(text.slice(0, -comment.length)) === hash;
  }
}

function mapComment(hash: string): string {
  return `\n//# sourceMappingURL=${hash}.mjs.map\n`;
}
