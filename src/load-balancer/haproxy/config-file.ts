import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import { checkHaproxyFile, type HaproxyBinary } from "./binary.ts";

/**
 * `state/haproxy.cfg`, which HAProxy runs, and `state/haproxy.previous.cfg`, the one before.
 * A text that HAProxy refuses never becomes the file.
 */
export class ConfigFile {
  readonly #binary: HaproxyBinary;
  readonly path: string;
  readonly #candidate: string;
  readonly #previous: string;
  #text = "";

  constructor(directory: string, binary: HaproxyBinary) {
    this.#binary = binary;
    this.path = join(directory, "haproxy.cfg");
    this.#candidate = join(directory, "haproxy.candidate.cfg");
    this.#previous = join(directory, "haproxy.previous.cfg");
  }

  /** What the file holds; empty before the first `replace`. */
  get text(): string {
    return this.#text;
  }

  /** Throws BALANCER_CONFIG_REFUSED in HAProxy's words; the file that runs stays as it is. */
  async check(text: string): Promise<void> {
    await writeFileAtomic(this.#candidate, text);
    try {
      await checkHaproxyFile(this.#binary, this.#candidate);
    } finally {
      await rm(this.#candidate, { force: true });
    }
  }

  /** Puts a checked text in place and keeps the one before. */
  async replace(text: string): Promise<void> {
    const before = await readFile(this.path, "utf8").catch(() => undefined); // none before the first
    if (before !== undefined) await writeFileAtomic(this.#previous, before);
    await writeFileAtomic(this.path, text);
    this.#text = text;
  }

  /** Takes back the last `replace`. */
  async restore(): Promise<void> {
    await rename(this.#previous, this.path);
    this.#text = await readFile(this.path, "utf8");
  }
}
