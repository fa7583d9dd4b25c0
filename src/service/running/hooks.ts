import type { Logger } from "../../telemetry/logger.ts";
import type { Cache } from "../cache.ts";
import type { ServiceContext } from "../context/service-context.ts";
import type { KvdbStore } from "../kvdb-store.ts";
import type { ConfigOf, NameOf } from "../register.ts";

/** What `onStart` and `onStop` are given. */
export interface ServiceScope {
  readonly log: Logger;
  /** The name of this server. */
  readonly server: string;
  /** The name of this cluster. */
  readonly cluster: string;
  /** Aborted when the service stops, before its `onStop` is called. */
  readonly signal: AbortSignal;
  /** A UserConfig object as it is now. Throws CONFIG_OBJECT_UNKNOWN. */
  config<Name extends NameOf<"configs">>(name: Name): ConfigOf<Name>;
  cache(name?: NameOf<"caches"> | "default"): Cache;
  readonly kvdb: KvdbStore;
}

/** How a call ended, for `after`. */
export type CallOutcome<Output = unknown> =
  | { readonly ok: true; readonly output: Output; readonly durationMs: number }
  | { readonly ok: false; readonly error: unknown; readonly durationMs: number };

/** What a service does around its calls and its life. All of them may be async, and are awaited. */
export interface ServiceHooks<Input = unknown, Output = unknown, Result = unknown> {
  /**
   * Called once in each worker that has loaded the file, before the service takes traffic, for at
   * most 30 s. When it throws the file is reported as failed, and its old code keeps serving.
   */
  onStart?(scope: ServiceScope): void | Promise<void>;
  /**
   * Called when newer code has taken over and the calls of this one have ended (those that take
   * longer than 30 s are not waited for), and when the worker drains.
   */
  onStop?(scope: ServiceScope): void | Promise<void>;
  /** Called before each call's handler, which does not run when this throws. */
  before?(ctx: ServiceContext<Input>): void | Promise<void>;
  /**
   * Called when a call has ended, however it ended, and before it is answered. An error in here is
   * logged and changes nothing.
   */
  after?(ctx: ServiceContext<Input>, outcome: CallOutcome<Result>): void | Promise<void>;
  /**
   * Called with what `before`, the handler or the check of its output threw. What it returns is the
   * output instead; undefined leaves the error as it is, and it may throw another one.
   */
  onError?(
    error: unknown,
    ctx: ServiceContext<Input>,
  ): Output | undefined | void | Promise<Output | undefined | void>;
}
