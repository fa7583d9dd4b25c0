import { reasonOf } from "../../errors/platform-error.ts";
import type { Service } from "../../service/define-service.ts";
import { type LifecycleOptions, StartedServices } from "../../service/running/lifecycle.ts";
import { loadBundle } from "./bundle-loader.ts";
import type { BundleFile, ConfiguredMessage } from "./protocol.ts";

export type Failure = ConfiguredMessage["failures"][number];

interface LoadedBundle {
  readonly hash: string;
  readonly services: readonly Service[];
  readonly started: StartedServices;
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
  #replaced: StartedServices[] = [];

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
    for (const [file, { started }] of this.#loaded) {
      if (files.has(file)) continue;
      this.#loaded.delete(file);
      this.#replaced.push(started);
    }
    for (const { file, hash, path } of bundles) {
      const old = this.#loaded.get(file);
      if (old?.hash === hash) continue;
      try {
        const { services, sizeBytes } = await loadBundle(path);
        this.#sizes.set(hash, sizeBytes);
        const started = await StartedServices.start(services, lifecycle);
        this.#loaded.set(file, { hash, services, started });
        if (old !== undefined) this.#replaced.push(old.started);
      } catch (error) {
        failures.push({ kind: "Deployment", name: file, error: reasonOf(error) });
      }
    }
    return failures;
  }

  /** Stops what `update` replaced, once nothing new reaches it. Never rejects. */
  async stopReplaced(): Promise<void> {
    await Promise.all(this.#replaced.splice(0).map((started) => started.stop()));
  }

  /** Stops everything, in at most about twice `timeoutMs`. Never rejects. */
  async stop(timeoutMs: number): Promise<void> {
    const running = [...this.#loaded.values()].map(({ started }) => started);
    this.#loaded.clear();
    const all = [...running, ...this.#replaced.splice(0)];
    await Promise.all(all.map((started) => started.stop(timeoutMs)));
  }

  /** Which code of which file really runs. */
  keys(): { readonly file: string; readonly hash: string }[] {
    return [...this.#loaded].map(([file, { hash }]) => ({ file, hash }));
  }

  /** Whether so much of what was loaded is out of use that a fresh process should take over. */
  get isWorn(): boolean {
    const used = new Set([...this.#loaded.values()].map(({ hash }) => hash));
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
}
