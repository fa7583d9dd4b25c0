import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import type { Revision, RevisionHead, RevisionKey } from "../api.ts";

/** Older revisions than these many are forgotten. */
export const revisionsKept = 200;

const revisionSchema = z.object({
  revision: z.int().min(1),
  at: z.iso.datetime(),
  by: z.string().max(200),
  why: z.string().max(500),
  origin: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/i),
  // Checked against config.yaml when it is put to use.
  document: z.record(z.string(), z.unknown()),
});

/** A revision as it is kept and passed on; its id follows from the others beside it. */
export type StoredRevision = Omit<Revision, "id">;

/** Reads a revision that another agent sent, or a file. Throws a ZodError. */
export function parseRevision(value: unknown): StoredRevision {
  return revisionSchema.parse(value);
}

/**
 * Which of two changes holds: the later revision, and of two equal ones the later made. Undefined
 * is config.yaml by itself, before all of them.
 */
export function compareRevisions(a: RevisionKey | undefined, b: RevisionKey | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  return a.revision - b.revision || compareText(a.at, b.at) || compareText(a.origin, b.origin);
}

/** `7@lb2`, by which `History.find` has it whether it holds or lost; `0`: config.yaml by itself. */
export function fullIdOf(one: RevisionKey | undefined): string {
  return one === undefined ? "0" : `${one.revision}@${one.origin}`;
}

/**
 * Every configuration that was, a file for each in `state/configuration/`; the newest is the one
 * that holds. A revision counts once its file has its final name: a crash before that leaves a
 * `.pending` file, which is thrown away, and one after it leaves the revision to be made live.
 */
export class History {
  readonly #directory: string;
  #revisions: readonly StoredRevision[];

  private constructor(directory: string, revisions: readonly StoredRevision[]) {
    this.#directory = directory;
    this.#revisions = revisions;
  }

  /** Throws BALANCER_STATE_UNREADABLE for a file that is damaged. */
  static async open(directory: string): Promise<History> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const revisions: StoredRevision[] = [];
    for (const name of await readdir(directory)) {
      const file = join(directory, name);
      if (!name.endsWith(".json")) await rm(file, { force: true });
      else revisions.push(await load(file));
    }
    return new History(directory, revisions.toSorted(compareRevisions));
  }

  /** The configuration that holds; undefined when nothing was changed since config.yaml. */
  get current(): StoredRevision | undefined {
    return this.#revisions.at(-1);
  }

  /** Oldest first. */
  get revisions(): readonly StoredRevision[] {
    return this.#revisions;
  }

  has(revision: StoredRevision): boolean {
    return this.#revisions.some((one) => compareRevisions(one, revision) === 0);
  }

  /** Newest first, with the names by which people speak of them. */
  heads(): readonly RevisionHead[] {
    return this.#revisions.toReversed().map((one) => {
      const { document: _document, ...head } = one;
      return { id: this.#idOf(one), ...head };
    });
  }

  /** By `7` the one that held, by `7@lb2` one that lost. Throws BALANCER_NO_SUCH_REVISION. */
  find(id: string): Revision {
    const found = this.#revisions.findLast((one) =>
      id === String(one.revision) || id === fullIdOf(one)
    );
    if (found === undefined) throw new PlatformError("BALANCER_NO_SUCH_REVISION", { id });
    return { id: this.#idOf(found), ...found };
  }

  /**
   * Keeps a revision: `makeLive` runs when everything that can fail for want of space has been
   * written. When it throws nothing is kept.
   */
  async add(revision: StoredRevision, makeLive: () => Promise<void>): Promise<void> {
    const file = join(this.#directory, fileName(revision));
    const pending = `${file}.pending`;
    await writeFileAtomic(pending, JSON.stringify(revision, null, 2) + "\n");
    try {
      await makeLive();
    } catch (error) {
      await rm(pending, { force: true });
      throw error;
    }
    await rename(pending, file);
    const all = [...this.#revisions, revision].toSorted(compareRevisions);
    this.#revisions = all.slice(-revisionsKept);
    for (const old of all.slice(0, -revisionsKept)) {
      await rm(join(this.#directory, fileName(old)), { force: true });
    }
  }

  #idOf(one: StoredRevision): string {
    const holder = this.#revisions.findLast(({ revision }) => revision === one.revision);
    return holder === one ? String(one.revision) : fullIdOf(one);
  }
}

async function load(file: string): Promise<StoredRevision> {
  try {
    return parseRevision(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
    throw new PlatformError("BALANCER_STATE_UNREADABLE", { file, reason }, { cause: error });
  }
}

/** Names sort as revisions do. */
function fileName({ revision, at, origin }: StoredRevision): string {
  return `${String(revision).padStart(10, "0")}-${Date.parse(at)}-${origin}.json`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
