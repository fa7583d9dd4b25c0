import { basename } from "node:path";
import { PlatformError } from "../../../errors/platform-error.ts";
import type { DeployFile } from "../../../server/deploy/bundle.ts";
import { type BundleSession, openBundleSession } from "./bundle-session.ts";

/** A source file of services and what became of its last build. */
interface Entry {
  readonly session: BundleSession;
  /** Every file that went into the last bundle that could be built. */
  inputs: readonly string[];
  /** Undefined until the first build succeeds. */
  code: string | undefined;
  hasFailed: boolean;
}

/** What a build brought. */
export interface BuildOutcome {
  /** Bundles that are new, differ from the last ones, or are those of a file that was touched. */
  readonly bundles: readonly { readonly file: string; readonly bundle: DeployFile }[];
  readonly failures: readonly { readonly file: string; readonly error: unknown }[];
  /** Source files that are gone. */
  readonly removed: readonly string[];
}

/** Keeps the bundles of a project's source files current; only what a change touches is built. */
export class ServiceBundles implements AsyncDisposable {
  readonly #entries = new Map<string, Entry>();

  /**
   * Builds the files among `files` that are new, whose last build failed, or into which one of the
   * changed paths went.
   */
  async build(
    files: readonly string[],
    changed: ReadonlySet<string>,
  ): Promise<BuildOutcome> {
    const removed = await this.#forgetOthers(files);
    const twice = twins(files);
    const results = await Promise.all(files.map((file) => this.#buildOne(file, changed, twice)));
    return {
      removed,
      bundles: results.flatMap((result) =>
        result !== undefined && "bundle" in result ? [result] : []
      ),
      failures: results.flatMap((result) =>
        result !== undefined && "error" in result ? [result] : []
      ),
    };
  }

  /** Every file that went into any of the bundles. */
  get inputs(): readonly string[] {
    return [...new Set([...this.#entries.values()].flatMap(({ inputs }) => inputs))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#forgetOthers([]);
    const { stopBundler } = await import("../../../server/deploy/bundle.ts");
    // The compiler is a child of ours that hears the same Ctrl-C: it may have ended first.
    await stopBundler().catch(() => {});
  }

  async #buildOne(
    file: string,
    changed: ReadonlySet<string>,
    twice: ReadonlyMap<string, string>,
  ): Promise<
    { readonly file: string; readonly bundle: DeployFile } | { file: string; error: unknown } | void
  > {
    const other = twice.get(file);
    if (other !== undefined) {
      if (!changed.has(file)) return;
      return { file, error: new PlatformError("DEPLOY_SAME_NAME", { file: basename(file) }) };
    }
    try {
      const entry = this.#entries.get(file) ?? await this.#open(file);
      const isDue = entry.code === undefined || entry.hasFailed || changed.has(file) ||
        entry.inputs.some((input) => changed.has(input));
      if (!isDue) return;
      return await rebuild(file, entry, changed.has(file));
    } catch (error) {
      return { file, error };
    }
  }

  async #open(file: string): Promise<Entry> {
    const session = await openBundleSession(file);
    const entry: Entry = { session, inputs: [file], code: undefined, hasFailed: false };
    this.#entries.set(file, entry);
    return entry;
  }

  async #forgetOthers(files: readonly string[]): Promise<readonly string[]> {
    const gone = [...this.#entries.keys()].filter((file) => !files.includes(file));
    for (const file of gone) {
      await this.#entries.get(file)?.session.close().catch(() => {}); // its process may be gone
      this.#entries.delete(file);
    }
    return gone;
  }
}

async function rebuild(file: string, entry: Entry, isTouched: boolean) {
  try {
    const { bundle, inputs } = await entry.session.rebuild();
    const isNews = entry.code !== bundle.code || entry.hasFailed || isTouched;
    Object.assign(entry, { code: bundle.code, inputs, hasFailed: false });
    // Whoever saves a file wants to hear of it, though what runs may be the same.
    return isNews ? { file, bundle } : undefined;
  } catch (error) {
    entry.hasFailed = true;
    throw error;
  }
}

/** Files whose base name another file before them has: only one of them can be deployed. */
function twins(files: readonly string[]): ReadonlyMap<string, string> {
  const first = new Map<string, string>();
  const found = new Map<string, string>();
  for (const file of files) {
    const other = first.get(basename(file));
    if (other === undefined) first.set(basename(file), file);
    else found.set(file, other);
  }
  return found;
}
