import { z } from "zod";
import type { StoredObject } from "../../catalog/kind.ts";
import type {
  HttpChannelHost,
  PreparedHttpChannel,
  SocketChannels,
} from "../../connectors/contract.ts";
import { httpChannelDrivers } from "../../connectors/drivers.ts";
import { kinds } from "../../connectors/registry.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Generation, Route, RouteEntry } from "../../http/route.ts";
import { type RateLimits, routeLimits } from "../../http/rate-limit/rate-limits.ts";
import { RouteStats } from "../../http/route-stats.ts";
import type { ClusterKey } from "../../security/cluster-key.ts";
import { type GuardDefinition, type GuardSet, GuardSource } from "../../security/guard-set.ts";
import type { ReplayStore } from "../../security/ws-security/replay-memory.ts";
import type { ServiceRuntime } from "../../service/call.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { compileRouter } from "../http/router.ts";
import type { Failure } from "./bundle-set.ts";

export interface CompilerOptions {
  readonly key: ClusterKey;
  readonly limits: { readonly requestMs: number; readonly bodyBytes: number };
  readonly logger: Logger;
  readonly rates: RateLimits;
  readonly sockets: SocketChannels;
  /** What messages may come only once in the cluster; undefined without a KVDB. */
  readonly replays?: ReplayStore | undefined;
}

/** What came of a set of objects. */
export interface Compiled {
  readonly generation: Generation;
  /** Objects that did not come to life; their neighbours did. */
  readonly failures: readonly Failure[];
}

interface LiveChannel {
  readonly object: StoredObject;
  readonly prepared: PreparedHttpChannel;
}

/** What one configuration is compiled with. */
interface Scope {
  readonly runtime: ServiceRuntime;
  readonly guards: GuardSet;
  readonly objects: ReadonlyMap<string, StoredObject>;
}

/**
 * Turns objects and services into what serves requests. Keeps what it learnt about an object from
 * one generation to the next: parsed specs, credentials seen, figures of channels.
 */
export class GenerationCompiler {
  readonly #options: CompilerOptions;
  readonly #guards: GuardSource;
  readonly #stats = new Map<string, RouteStats>();
  #channels = new Map<string, LiveChannel>();

  constructor(options: CompilerOptions) {
    this.#options = options;
    this.#guards = new GuardSource(options);
  }

  async compile(
    objects: ReadonlyMap<string, StoredObject>,
    runtime: ServiceRuntime,
  ): Promise<Compiled> {
    const failures: Failure[] = [];
    const channels: LiveChannel[] = [];
    const definitions: GuardDefinition[] = [];
    for (const object of objects.values()) {
      try {
        if (this.#guards.takes(object.kind)) definitions.push(await this.#guards.prepare(object));
        else if (httpChannelDrivers.has(object.kind)) channels.push(await this.#prepare(object));
        else if (!kinds.has(object.kind)) throw unusable(`Unknown kind "${object.kind}"`);
      } catch (error) {
        failures.push({ kind: object.kind, name: object.name, error: describe(error) });
      }
    }
    this.#closeOthers(channels);
    const scope = { runtime, guards: this.#guards.guards(definitions), objects };
    const entries = channels.flatMap((channel) => {
      try {
        return channel.prepared.routes(this.#host(channel.object, scope));
      } catch (error) {
        const { kind, name } = channel.object;
        failures.push({ kind, name, error: describe(error) });
        return [];
      }
    });
    return { generation: this.#generation(entries, runtime), failures };
  }

  #generation(entries: readonly RouteEntry<Route>[], runtime: ServiceRuntime): Generation {
    return { router: compileRouter(entries), entries, runtime };
  }

  async #prepare(object: StoredObject): Promise<LiveChannel> {
    const known = this.#channels.get(keyOf(object));
    if (known?.object === object) return known;
    const driver = await httpChannelDrivers.get(object.kind)!(); // asked for kinds that have one
    return { object, prepared: driver.prepare(object) };
  }

  #closeOthers(channels: readonly LiveChannel[]): void {
    const live = new Map(channels.map((channel) => [keyOf(channel.object), channel]));
    for (const [key, channel] of this.#channels) {
      if (live.get(key) === channel) continue;
      channel.prepared.close?.(live.has(key) ? "changed" : "gone");
      if (!live.has(key)) this.#stats.delete(key);
    }
    this.#channels = live;
  }

  #host(channel: StoredObject, { runtime, guards, objects }: Scope): HttpChannelHost {
    const find = (kind: string, name: string) => {
      const object = objects.get(`${kind}/${name}`);
      if (object === undefined) throw unusable(`${kind} "${name}" is missing`);
      return object;
    };
    return {
      runtime,
      limits: this.#options.limits,
      logger: this.#options.logger,
      sockets: this.#options.sockets,
      stats: this.#statsOf(keyOf(channel)),
      guard: (security) => guards.guard(security),
      rateLimits: (names) =>
        routeLimits(names.map((name) => this.#options.rates.limiter(find("RateLimit", name)))),
      service(name) {
        const runnable = runtime.services.get(name);
        if (runnable === undefined) throw unusable(`The service "${name}" is not deployed`);
        return runnable;
      },
      object: find,
    };
  }

  #statsOf(channel: string): RouteStats {
    const known = this.#stats.get(channel);
    if (known !== undefined) return known;
    const made = new RouteStats();
    this.#stats.set(channel, made);
    return made;
  }
}

function keyOf({ kind, name }: StoredObject): string {
  return `${kind}/${name}`;
}

function describe(error: unknown): string {
  return error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
}

function unusable(reason: string): PlatformError {
  return new PlatformError("CHANNEL_UNUSABLE", { reason });
}
