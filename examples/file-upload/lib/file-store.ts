import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** A file that was stored. */
export interface StoredFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Files in one directory. Names must be checked by the caller: no slashes, no dot in front. */
export class FileStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  /** Keeps what arrives, without holding it in memory. What breaks off leaves nothing behind. */
  async store(name: string, source: AsyncIterable<Uint8Array>): Promise<StoredFile> {
    await mkdir(this.#directory, { recursive: true });
    const partial = join(this.#directory, `.${randomUUID()}.part`);
    const hash = createHash("sha256");
    let sizeBytes = 0;
    try {
      await using file = await open(partial, "wx", 0o600);
      for await (const chunk of source) {
        await file.write(chunk);
        hash.update(chunk);
        sizeBytes += chunk.length;
      }
      await file.sync();
      await rename(partial, this.path(name));
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    return { name, sizeBytes, sha256: hash.digest("hex") };
  }

  async list(): Promise<{ name: string; sizeBytes: number }[]> {
    const names = (await readdir(this.#directory).catch(() => [])).toSorted();
    const files = names.filter((name) => !name.startsWith("."));
    return await Promise.all(
      files.map(async (name) => ({ name, sizeBytes: (await stat(this.path(name))).size })),
    );
  }
}
