import { reasonOf } from "../../errors/platform-error.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { Service } from "../../service/define-service.ts";
import { type LifecycleOptions, StartedServices } from "../../service/running/lifecycle.ts";
import { loadBundle } from "./bundle-loader.ts";
import type { BundleFile, ConfiguredMessage } from "./protocol.ts";

export type Failure = ConfiguredMessage["failures"][number];

interface LoadedBundle {
  readonly hash: string;
  readonly services: readonly Service[];
}

/**
 * How much code that nothing runs any more a process may hold. The engine never forgets a module:
 * a version that was replaced costs its size and 25 to 60 kB more for as long as the process lives.
 */
const retiredMax = { bundles: 12, sizeBytes: 16 * 1024 * 1024 };

/** The bundles that this process runs, by file. */
export class BundleSet {
  readonly #loaded = new Map<string, LoadedBundle>();
  /** Sizes of everything that was ever loaded, by hash. */
  readonly #sizes = new Map<string, number>();
  /** What has been started and not stopped, by hash: equal code is one module, whatever its file. */
  readonly #started = new Map<string, StartedServices>();

  /**
   * Imports and starts what is new and forgets what is gone. A file whose new bundle does not load,
   * or not start, keeps the old one; the answer says why.
   */
  async update(
    bundles: readonly BundleFile[],
    lifecycle: LifecycleOptions,
  ): Promise<readonly Failure[]> {
    const failures: Failure[] = [];
    const files = new Set(bundles.map(({ file }) => file));
    for (const file of this.#loaded.keys()) {
      if (!files.has(file)) this.#loaded.delete(file);
    }
    for (const { file, hash, path } of bundles) {
      if (this.#loaded.get(file)?.hash === hash) continue;
      try {
        const { services, sizeBytes } = await loadBundle(path, { file });
        this.#sizes.set(hash, sizeBytes);
        await this.#start(hash, services, lifecycle);
        this.#loaded.set(file, { hash, services });
      } catch (error) {
        failures.push({ kind: "Deployment", name: file, error: reasonOf(error) });
      }
    }
    return failures;
  }

  /** Stops what no file has any more, once its calls have ended. Never rejects. */
  async stopReplaced(): Promise<void> {
    const used = this.#usedHashes();
    const replaced = [...this.#started].filter(([hash]) => !used.has(hash));
    await Promise.all(replaced.map(async ([hash, started]) => {
      const isOver = await started.stop();
      if (isOver && this.#started.get(hash) === started) this.#started.delete(hash);
    }));
  }

  /** Stops everything, in at most twice `timeoutMs`. Never rejects. */
  async stop(timeoutMs: number): Promise<void> {
    const all = [...this.#started.values()];
    this.#loaded.clear();
    const late = () => new Error("Services did not stop in time");
    const stopped = Promise.all(all.map((started) => started.stop(timeoutMs)));
    await withTimeout(stopped, timeoutMs * 2, late).catch(() => {}); // the process ends
  }

  /** Which code of which file really runs. */
  keys(): { readonly file: string; readonly hash: string }[] {
    return [...this.#loaded].map(([file, { hash }]) => ({ file, hash }));
  }

  /** Whether so much of what was loaded is out of use that a fresh process should take over. */
  get isWorn(): boolean {
    const used = this.#usedHashes();
    const retired = [...this.#sizes].filter(([hash]) => !used.has(hash));
    const sizeBytes = retired.reduce((sum, [, size]) => sum + size, 0);
    return retired.length > retiredMax.bundles || sizeBytes > retiredMax.sizeBytes;
  }

  /** Every service by name. Of two files with the same service, the first by name has it. */
  services(): ReadonlyMap<string, Service> {
    const services = new Map<string, Service>();
    for (const [, bundle] of [...this.#loaded].sort(([a], [b]) => (a < b ? -1 : 1))) {
      for (const service of bundle.services) {
        if (!services.has(service.name)) services.set(service.name, service);
      }
    }
    return services;
  }

  /** The file whose code an error comes from, by the names in its stack. */
  originOf(error: unknown): { readonly file: string; readonly services: string[] } | undefined {
    const stack = error instanceof Error ? error.stack ?? "" : "";
    for (const [file, { hash, services }] of this.#loaded) {
      // With a source map the stack names the author's file, without one the bundle.
      if (stack.includes(`/${hash}.mjs:`) || stack.includes(`/${file}:`)) {
        return { file, services: services.map(({ name }) => name) };
      }
    }
    return undefined;
  }

  /** Code that is live again, before it was stopped, serves on. */
  async #start(
    hash: string,
    services: readonly Service[],
    lifecycle: LifecycleOptions,
  ): Promise<void> {
    if (await this.#started.get(hash)?.resume()) return;
    this.#started.set(hash, await StartedServices.start(services, lifecycle));
  }

  #usedHashes(): ReadonlySet<string> {
    return new Set([...this.#loaded.values()].map(({ hash }) => hash));
  }
}
