import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";

/** How long nothing may happen before a change is told: editors write a file in several steps. */
const quietMs = 30;

/** Watches directories, not what is below them, and tells of changed paths in groups. */
export class DirectoryWatch implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #onChange: (paths: ReadonlySet<string>) => void;
  #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** `onChange` is called from a timer, with absolute paths; some may not exist any more. */
  constructor(onChange: (paths: ReadonlySet<string>) => void) {
    this.#onChange = onChange;
  }

  /** Watches exactly these directories from now on. */
  update(directories: ReadonlySet<string>): void {
    for (const [directory, watcher] of this.#watchers) {
      if (directories.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of directories) {
      if (!this.#watchers.has(directory)) this.#watch(directory);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.update(new Set());
  }

  #watch(directory: string): void {
    try {
      const watcher = watch(directory, (_event, name) => {
        if (typeof name === "string") this.#note(join(directory, name));
      });
      // A directory that was removed is noticed through the one above it.
      watcher.on("error", () => this.#drop(directory));
      this.#watchers.set(directory, watcher);
    } catch {
      this.#drop(directory); // it was removed a moment ago
    }
  }

  #drop(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }

  #note(path: string): void {
    this.#changed.add(path);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const changed = this.#changed;
      this.#changed = new Set();
      this.#onChange(changed);
    }, quietMs);
  }
}
