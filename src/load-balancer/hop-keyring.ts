import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import { createSerial } from "./serial.ts";

/** Servers ask for the keys every few seconds: by now all that live know a new one. */
const settleMs = 15_000;
/** A HAProxy that was replaced finishes what it has, for ten minutes at most, with its key. */
const keepMs = 660_000;

const entrySchema = z.object({
  key: z.string().regex(/^[\w-]{43}$/),
  madeAt: z.number(),
  /** When the balancer began to show the next one; absent: it has not yet. */
  leftAt: z.number().optional(),
});
const fileSchema = z.array(entrySchema).min(1);
type Entry = z.infer<typeof entrySchema>;

export interface HopKeyringOptions {
  /** `secrets/hop-keys.json`; made with a first key when it is not there. */
  readonly file: string;
  /** Milliseconds since 1970; default the machine's clock. */
  readonly now?: () => number;
}

/**
 * The secret with which this balancer proves to servers that it is one. Each key is 32 random
 * bytes, base64url. A new one is shown to servers first and used once they know it, and every key
 * that was used before goes on being valid until nothing can carry it any more.
 */
export class HopKeyring {
  readonly #file: string;
  readonly #now: () => number;
  readonly #serial = createSerial();
  /** Oldest first. */
  #entries: readonly Entry[];

  private constructor({ file, now = Date.now }: HopKeyringOptions, entries: readonly Entry[]) {
    this.#file = file;
    this.#now = now;
    this.#entries = entries;
  }

  /** Throws BALANCER_HOP_KEYS for a file that is damaged. */
  static async open(options: HopKeyringOptions): Promise<HopKeyring> {
    const found = await load(options.file);
    const keyring = new HopKeyring(options, found ?? []);
    // The first key has no predecessor to go on with, so that its age does not matter.
    if (found === undefined) await keyring.#save([keyring.#make()]);
    return keyring;
  }

  /** What servers are to believe. */
  get accepted(): readonly string[] {
    return this.#valid().map(({ key }) => key);
  }

  /** What the balancer is to show. */
  get shown(): string {
    return this.#shownEntry().key;
  }

  /** When `shown` changes next, in milliseconds from now; undefined when nothing is under way. */
  get changesInMs(): number | undefined {
    const waits = this.#entries.slice(1).map(({ madeAt }) => madeAt + settleMs - this.#now());
    return waits.find((wait) => wait > 0);
  }

  /** Makes a new key. One that was made a moment ago and is not used yet is forgotten. */
  rotate(): Promise<void> {
    return this.#serial(() => {
      const kept = this.#entries.slice(0, this.#entries.indexOf(this.#shownEntry()) + 1);
      return this.#save([...this.#valid(kept), this.#make()]);
    });
  }

  /**
   * Takes note that the balancer shows this key from now on: the time of those before it begins to
   * run out. Resolves to false when that was known.
   */
  noteUse(key: string): Promise<boolean> {
    return this.#serial(async () => {
      const used = this.#entries.findIndex((entry) => entry.key === key);
      const isLeft = ({ leftAt }: Entry, at: number) => leftAt === undefined && at < used;
      if (!this.#entries.some(isLeft)) return false;
      const leftAt = this.#now();
      await this.#save(
        this.#entries.map((entry, at) => isLeft(entry, at) ? { ...entry, leftAt } : entry),
      );
      return true;
    });
  }

  #valid(entries = this.#entries): readonly Entry[] {
    const now = this.#now();
    return entries.filter(({ leftAt }) => leftAt === undefined || now - leftAt <= keepMs);
  }

  #shownEntry(): Entry {
    const settled = this.#entries.findLast(({ madeAt }) => this.#now() - madeAt >= settleMs);
    return settled ?? this.#entries[0]!; // there is always one
  }

  #make(): Entry {
    return { key: randomBytes(32).toString("base64url"), madeAt: this.#now() };
  }

  async #save(entries: readonly Entry[]): Promise<void> {
    await writeFileAtomic(this.#file, JSON.stringify(entries) + "\n");
    this.#entries = entries;
  }
}

async function load(file: string): Promise<readonly Entry[] | undefined> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    // What a parser says of a broken file may quote it, and with it a key.
    const reason = error instanceof z.ZodError || error instanceof SyntaxError
      ? "it is not a list of keys"
      : reasonOf(error);
    throw new PlatformError("BALANCER_HOP_KEYS", { file, reason });
  }
}
