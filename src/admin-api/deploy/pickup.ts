import { type FSWatcher, watch } from "node:fs";
import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf } from "../../errors/platform-error.ts";
import { bundleSource, type DeployFile, stopBundler } from "../../server/deploy/bundle.ts";
import { isSourceName } from "../../server/deploy/source-name.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { DeployResult } from "../api.ts";
import { failureLines, isPassing } from "./failure.ts";

export interface PickupOptions {
  readonly directory: string;
  readonly server: string;
  readonly deploy: (file: DeployFile) => Promise<DeployResult>;
  readonly logger: Logger;
  /** How long a file must not have changed to be taken for complete. Default 150. */
  readonly stableMs?: number;
  /** How often to look without being told. Default 1,000. */
  readonly pollMs?: number;
}

/** A file as it was seen, to tell whether it still grows. */
interface Sighting {
  readonly size: number;
  readonly mtimeMs: number;
  readonly seenAt: number;
}

/** When the ODB is away. */
const retryMs = 5_000;

/**
 * Deploys source files that appear in a directory, then moves them to `processed/`, or to
 * `rejected/` with a text that says why. Servers that watch one directory share the work: whoever
 * renames a file first has it. Imports are looked for from the directory, so helper modules lie in
 * its subdirectories and packages in its, or a higher, `node_modules`.
 */
export class PickupDirectory {
  readonly #options: Required<PickupOptions>;
  readonly #seen = new Map<string, Sighting>();
  readonly #ignored = new Set<string>();
  #watcher: FSWatcher | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;

  constructor(options: PickupOptions) {
    this.#options = { stableMs: 150, pollMs: 1_000, ...options };
  }

  /** Begins to watch; makes the directory when it is missing. */
  async start(): Promise<void> {
    const { directory, logger } = this.#options;
    for (const folder of ["processed", "rejected"]) {
      await mkdir(join(directory, folder), { recursive: true });
    }
    await this.#takeUpOwn();
    try {
      this.#watcher = watch(directory, () => this.#lookIn(this.#options.stableMs));
      this.#watcher.on("error", () => {}); // looking now and then goes on
    } catch (error) {
      logger.debug("The pick-up directory is looked at, not watched", { reason: reasonOf(error) });
    }
    logger.info("Watching for source files", { directory });
    this.#lookIn(0);
  }

  /** Ends watching and waits for what is being deployed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watcher?.close();
    clearTimeout(this.#timer);
    await this.#round;
  }

  #lookIn(ms: number): void {
    if (this.#stopped || this.#round !== undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#round = this.#look().then((nextMs) => {
        this.#round = undefined;
        this.#lookIn(nextMs);
      });
    }, ms);
  }

  /** Takes what is complete, in the order of names, and says when to look again. */
  async #look(): Promise<number> {
    const { pollMs, stableMs, directory, logger } = this.#options;
    try {
      const complete = await this.#findComplete();
      for (const name of complete) {
        if (this.#stopped || !await this.#take(name)) return retryMs;
      }
      if (complete.length > 0) await stopBundler();
      return this.#seen.size > 0 ? stableMs : pollMs;
    } catch (error) {
      logger.error("The pick-up directory cannot be used", { directory, reason: reasonOf(error) });
      return retryMs;
    }
  }

  async #findComplete(): Promise<readonly string[]> {
    const { directory, stableMs } = this.#options;
    const entries = await readdir(directory, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name).sort();
    const complete: string[] = [];
    for (const name of this.#seen.keys()) if (!names.includes(name)) this.#seen.delete(name);
    for (const name of names) {
      if (!isSourceName(name)) {
        this.#ignore(name);
        continue;
      }
      const found = await stat(join(directory, name)).catch(() => undefined);
      if (found === undefined) continue; // another server has it
      const before = this.#seen.get(name);
      const isSame = before?.size === found.size && before.mtimeMs === found.mtimeMs;
      const now = performance.now();
      if (isSame && now - before.seenAt >= stableMs) complete.push(name);
      else if (!isSame) {
        this.#seen.set(name, { size: found.size, mtimeMs: found.mtimeMs, seenAt: now });
      }
    }
    return complete;
  }

  /** False when it was put back, to be tried again later. */
  async #take(name: string): Promise<boolean> {
    const { directory, logger } = this.#options;
    const taken = join(directory, this.#takenName(name));
    this.#seen.delete(name);
    try {
      await rename(join(directory, name), taken);
    } catch {
      return true; // another server was quicker
    }
    try {
      const source = await readFile(taken, "utf8");
      const result = await this.#options.deploy(await bundleSource({ name, source, directory }));
      if (result.outcome === "rejected") await this.#reject(name, failureLines(result));
      else {
        const { outcome, revision } = result;
        logger.info("Deployed from the pick-up directory", { file: name, outcome, revision });
        await rename(taken, join(directory, "processed", stamped(name)));
      }
      return true;
    } catch (error) {
      if (!isPassing(error)) {
        const failure = error instanceof Error ? error : new Error(String(error));
        await this.#reject(name, failureLines(failure));
        return true;
      }
      logger.warn("A file waits to be picked up", { file: name, reason: reasonOf(error) });
      await this.#putBack(name);
      return false;
    }
  }

  async #reject(name: string, lines: readonly string[]): Promise<void> {
    const { directory, server, logger } = this.#options;
    const path = join(directory, "rejected", stamped(name));
    const text = `${name} was not deployed by ${server} at ${new Date().toISOString()}\n\n` +
      `${lines.join("\n")}\n\nMend the file and put it into ${directory} again.\n`;
    await writeFile(`${path}.txt`, text);
    await rename(join(directory, this.#takenName(name)), path);
    logger.error("A file was picked up and rejected", { file: name, reason: lines[0], see: path });
  }

  /** A newer file of that name wins. */
  async #putBack(name: string): Promise<void> {
    const { directory } = this.#options;
    const path = join(directory, name);
    const isThere = await stat(path).then(() => true, () => false);
    const to = isThere ? join(directory, "rejected", stamped(name)) : path;
    await rename(join(directory, this.#takenName(name)), to);
  }

  /** What this server had taken when it was killed. */
  async #takeUpOwn(): Promise<void> {
    const prefix = this.#takenName("");
    for (const name of await readdir(this.#options.directory)) {
      if (name.startsWith(prefix)) await this.#putBack(name.slice(prefix.length));
    }
  }

  #takenName(name: string): string {
    return `.taken-by-${this.#options.server}-${name}`;
  }

  #ignore(name: string): void {
    const isExpected = name.startsWith(".") || /\.(json|d\.m?ts|txt|md|ya?ml)$/i.test(name);
    if (isExpected || this.#ignored.has(name)) return;
    this.#ignored.add(name);
    this.#options.logger.warn("A file in the pick-up directory is no source file and stays", {
      file: name,
      expected: "a name of letters, digits, dots, dashes, underscores, ending in .ts, .js or .mjs",
    });
  }
}

/** `orders.ts` -> `orders.20260102T030405678.ts`: nothing is written over. */
function stamped(name: string): string {
  const time = new Date().toISOString().replace(/[-:.Z]/g, "");
  const dot = name.lastIndexOf(".");
  return `${name.slice(0, dot)}.${time}${name.slice(dot)}`;
}
