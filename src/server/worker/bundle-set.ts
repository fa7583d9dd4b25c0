import { reasonOf } from "../../errors/platform-error.ts";
import type { Service } from "../../service/define-service.ts";
import { loadBundle } from "./bundle-loader.ts";
import type { BundleFile, ConfiguredMessage } from "./protocol.ts";

export type Failure = ConfiguredMessage["failures"][number];

interface LoadedBundle {
  readonly hash: string;
  readonly services: readonly Service[];
}

/** The bundles that this process runs, by file. */
export class BundleSet {
  readonly #loaded = new Map<string, LoadedBundle>();

  /**
   * Imports what is new and forgets what is gone. A file whose new bundle does not load keeps the
   * old one; the answer says why.
   */
  async update(bundles: readonly BundleFile[]): Promise<readonly Failure[]> {
    const failures: Failure[] = [];
    const files = new Set(bundles.map(({ file }) => file));
    for (const file of this.#loaded.keys()) if (!files.has(file)) this.#loaded.delete(file);
    for (const { file, hash, path } of bundles) {
      if (this.#loaded.get(file)?.hash === hash) continue;
      try {
        this.#loaded.set(file, { hash, services: await loadBundle(path) });
      } catch (error) {
        failures.push({ kind: "Deployment", name: file, error: reasonOf(error) });
      }
    }
    return failures;
  }

  /** Which code of which file really runs. */
  keys(): { readonly file: string; readonly hash: string }[] {
    return [...this.#loaded].map(([file, { hash }]) => ({ file, hash }));
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
