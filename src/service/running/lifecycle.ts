import { once } from "node:events";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Service } from "../define-service.ts";
import type { Facilities } from "../facilities.ts";
import type { ConfigOf } from "../register.ts";
import type { ServiceScope } from "./hooks.ts";

/** What services are started with. */
export interface LifecycleOptions {
  readonly server: string;
  readonly cluster: string;
  readonly logger: Logger;
  readonly facilities: Facilities;
}

/** Longest time for one `onStart`, and for the calls that an `onStop` waits for. */
const waitMaxMs = 30_000;

/**
 * Services of one loaded file between their `onStart` and their `onStop`:
 * `start` -> serving -> `stop`, which `resume` takes back while it waits for calls.
 */
export class StartedServices {
  readonly #started: { readonly service: Service; readonly scope: ServiceScope }[] = [];
  readonly #abort = new AbortController();
  /** Aborted by `resume`. */
  #resumed = new AbortController();
  /** Once `onStop` is being called. */
  #ended: Promise<void> | undefined;

  /**
   * Calls `onStart` of each service, one after the other. When one fails, those that were started
   * are stopped, and it rejects with SERVICE_START_FAILED.
   */
  static async start(
    services: readonly Service[],
    options: LifecycleOptions,
  ): Promise<StartedServices> {
    const started = new StartedServices();
    for (const service of services) {
      const scope = createScope(service, options, started.#abort.signal);
      started.#started.push({ service, scope });
      try {
        await within(waitMaxMs, "onStart", () => service.hooks?.onStart?.(scope));
      } catch (error) {
        started.#started.pop(); // it never started
        await started.stop();
        const params = { service: service.name, reason: reasonOf(error) };
        throw new PlatformError("SERVICE_START_FAILED", params, { cause: error });
      }
    }
    return started;
  }

  /**
   * Waits for the calls of these services, at most `timeoutMs`, then calls `onStop` of each, last
   * one first. Never rejects: what fails is logged. Default 30 s for each of the two. Resolves to
   * false when `resume` took it back.
   */
  async stop(timeoutMs = waitMaxMs): Promise<boolean> {
    const { signal: resumed } = this.#resumed;
    const calls = this.#started.map(({ service }) => service.running?.idle() ?? Promise.resolve());
    const over = once(resumed, "abort");
    // Calls that take longer are not waited for.
    await within(timeoutMs, "The last call", () => Promise.race([Promise.all(calls), over]))
      .catch(() => {});
    if (resumed.aborted) return false;
    await (this.#ended ??= this.#end(timeoutMs));
    return true;
  }

  /**
   * Has these services serve on, though `stop` was called. Resolves to false when it is too late
   * for that, once all have stopped.
   */
  async resume(): Promise<boolean> {
    if (this.#ended !== undefined) {
      await this.#ended;
      return false;
    }
    this.#resumed.abort();
    this.#resumed = new AbortController();
    return true;
  }

  async #end(timeoutMs: number): Promise<void> {
    this.#abort.abort(new PlatformError("REQUEST_ABANDONED"));
    for (const { service, scope } of this.#started.splice(0).reverse()) {
      try {
        await within(timeoutMs, "onStop", () => service.hooks?.onStop?.(scope));
      } catch (error) {
        scope.log.error("The hook onStop failed", { error });
      }
    }
  }
}

async function within(ms: number, what: string, work: () => unknown): Promise<void> {
  const timeout = () => new Error(`${what} did not end within ${ms} ms`);
  await withTimeout((async () => await work())(), ms, timeout);
}

function createScope(
  service: Service,
  { server, cluster, logger, facilities }: LifecycleOptions,
  signal: AbortSignal,
): ServiceScope {
  return {
    log: logger.child({ service: service.name }),
    server,
    cluster,
    signal,
    // The register says more of the values than the object does.
    config: <Name extends string>(name: Name) => facilities.configs.get(name) as ConfigOf<Name>,
    cache: (name = "default") => facilities.caches.get(name),
    kvdb: facilities.kvdb,
  };
}
