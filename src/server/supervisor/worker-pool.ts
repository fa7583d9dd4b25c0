import type { WorkerStatus } from "../../cluster/status.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { ServerFailure } from "../../odb/types.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { InitMessage } from "../worker/protocol.ts";
import type { Vitals } from "./health-weight.ts";
import { type RequestHandler, type RunnableState, WorkerProcess } from "./worker-process.ts";

export interface WorkerPoolOptions {
  readonly count: number;
  readonly init: Omit<InitMessage, "type" | "workerId" | "hopKeys">;
  /** How long a worker that another one takes over from may finish what it has. */
  readonly drainMs: number;
  readonly logger: Logger;
  /** Does what workers ask of their supervisor. */
  readonly onRequest: RequestHandler;
  /**
   * Makes sure that code on this server's disk is whole, before a new worker reads it. Never
   * rejects: the worker says what it cannot load.
   */
  readonly checkBundles: (bundles: RunnableState["bundles"]) => Promise<void>;
  /** Called when a worker came up, went away or took a state. */
  readonly onChange: () => void;
}

/** A worker's place: the process in it may be replaced, the place stays. */
interface Place {
  readonly id: number;
  process: WorkerProcess | undefined;
  restarts: number;
  /** Failed starts in a row; sets the back-off. */
  failures: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether a fresh worker is about to take over, or has and the old one is not gone yet. */
  isHandingOver: boolean;
  /** The old one, as long as it may still get requests. */
  leaving: WorkerProcess | undefined;
  /** States are brought one after another; a frozen worker holds up no other place. */
  turn: Promise<void>;
}

/** Does something at a moment at which it disturbs nobody. */
type Aside = (work: () => Promise<void>) => Promise<void>;

/** A worker that has been up for this long is healthy: its next end restarts at once. */
const healthyMs = 30_000;
const nothing = { objects: "", deployments: "", secrets: "" } as const;
/** How often workers are looked at. */
const watchMs = 1_000;

/**
 * Keeps `count` workers alive on one port and gives each the newest state. A worker that ends is
 * replaced with back-off; one that falls silent (a frozen process: a blocked event loop ends
 * itself, see the stall watchdog) is ended and replaced. One that holds much code of old deployments
 * hands over to a fresh one, one place at a time, and clients notice nothing.
 */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #places: readonly Place[];
  readonly #watch: ReturnType<typeof setInterval>;
  #state: RunnableState | undefined;
  #hopKeys: readonly string[] = [];
  /** Workers that are about to take over: they listen to nobody yet. */
  readonly #coming = new Set<WorkerProcess>();
  #aside: Aside = (work) => work();
  /** Ends with the last handover. */
  #handovers: Promise<void> = Promise.resolve();
  #next = 0;
  #watchedAt = performance.now();
  #stopping = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.count }, (_, index) => ({
      id: index + 1,
      process: undefined,
      restarts: 0,
      failures: 0,
      timer: undefined,
      isHandingOver: false,
      leaving: undefined,
      turn: Promise.resolve(),
    }));
    this.#watch = setInterval(() => this.#endSilent(), watchMs);
  }

  /**
   * Brings `state` to every worker, starting those that do not run yet, and resolves when each has
   * answered or ended.
   */
  async apply(state: RunnableState): Promise<void> {
    this.#state = state;
    await Promise.all(this.#places.map((place) => this.#bring(place)));
  }

  /** Workers that serve. */
  get upCount(): number {
    return this.#places.filter(({ process }) => process?.phase === "up").length;
  }

  /** Workers that serve, in order. */
  serving(): readonly WorkerProcess[] {
    return this.#places.flatMap(({ process }) => process?.phase === "up" ? [process] : []);
  }

  /** Workers that requests can reach: those in their places, and those that others take over from. */
  reachable(): readonly WorkerProcess[] {
    const both = this.#places.flatMap(({ process, leaving }) => [process, leaving]);
    return both.filter((process) => process !== undefined);
  }

  /** The next serving worker in turn. Throws SERVER_NO_WORKER. */
  pick(): WorkerProcess {
    for (let tries = 0; tries < this.#places.length; tries++) {
      const { process } = this.#places[this.#next++ % this.#places.length]!;
      if (process?.phase === "up") return process;
    }
    throw new PlatformError("SERVER_NO_WORKER", { server: this.#options.init.server });
  }

  /** Tells every worker, and those that come, the keys of the cluster's balancers. */
  useHopKeys(keys: readonly string[]): void {
    this.#hopKeys = keys;
    for (const process of this.#all()) process.useHopKeys(keys);
  }

  /** Has old workers stop listening while `aside` sees to it that nobody sends anything. */
  handOverDuring(aside: Aside): void {
    this.#aside = aside;
  }

  /** What each place's worker last said of itself; undefined where none serves. */
  vitals(): readonly (Vitals | undefined)[] {
    return this.#places.map(({ process }) => {
      if (process?.phase !== "up") return undefined;
      const { inFlight = 0, eventLoopDelayMs = 0 } = process.heartbeat ?? {};
      return { inFlight, eventLoopDelayMs, silentMs: process.silentMs };
    });
  }

  statuses(): readonly WorkerStatus[] {
    return this.#places.map(({ id, process, restarts }) => ({
      id,
      pid: process?.pid ?? 0,
      state: process?.phase ?? "restarting",
      startedAt: (process?.startedAt ?? new Date()).toISOString(),
      restarts,
      revision: process?.configured?.revision ?? 0,
      stateHash: process?.configured?.stateHash ?? "",
      parts: process?.configured?.parts ?? nothing,
      bundles: process?.configured?.bundles ?? [],
      requestsTotal: process?.heartbeat?.requestsTotal ?? 0,
      errorsTotal: process?.heartbeat?.errorsTotal ?? 0,
      refusedTotal: process?.heartbeat?.refusedTotal ?? 0,
      inFlight: process?.heartbeat?.inFlight ?? 0,
      memoryBytes: process?.heartbeat?.memoryBytes ?? 0,
      eventLoopDelayMs: process?.heartbeat?.eventLoopDelayMs ?? 0,
    }));
  }

  /** What any worker could not bring to life, each thing once. */
  failures(): readonly ServerFailure[] {
    const all = this.#places.flatMap(({ process }) => process?.configured?.failures ?? []);
    return [
      ...new Map(all.map((failure) => [`${failure.kind}/${failure.name}`, failure])).values(),
    ];
  }

  /**
   * Drains every worker: each ends when it has answered its requests and finished what it was told
   * to run, at the latest after `drainMs`. None is left when this resolves, and none begins anew.
   */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#watch);
    for (const { timer } of this.#places) clearTimeout(timer);
    for (const process of this.#coming) process.kill();
    await Promise.all(this.reachable().map((process) => process.drain(drainMs)));
    await this.#handovers;
  }

  #bring(place: Place): Promise<void> {
    place.turn = place.turn.then(async () => {
      // A place that waits out its back-off gets the newest state when it starts again.
      const state = this.#state;
      if (this.#stopping || state === undefined || place.timer !== undefined) return;
      if (place.process === undefined) await this.#options.checkBundles(state.bundles);
      if (this.#stopping) return;
      const process = place.process ??= this.#start(place);
      const [configured] = await Promise.all([
        process.configure(state),
        // Until it takes no more requests, they must not find old code there.
        place.leaving?.configure(state),
      ]);
      this.#options.onChange();
      if (configured?.isWorn === true && !place.isHandingOver) this.#planHandover(place, process);
    });
    return place.turn;
  }

  #planHandover(place: Place, old: WorkerProcess): void {
    place.isHandingOver = true;
    this.#handovers = this.#handovers.then(async () => {
      await this.#handOver(place, old);
      place.isHandingOver = false;
    });
  }

  /** Lets a fresh worker take the place of one that serves; both listen for a moment. */
  async #handOver(place: Place, old: WorkerProcess): Promise<void> {
    if (this.#stopping) return;
    const next = this.#fork(place);
    this.#coming.add(next);
    await next.booted();
    place.turn = place.turn.then(async () => {
      const state = this.#state;
      if (this.#stopping || state === undefined || place.process !== old) return next.kill();
      await this.#options.checkBundles(state.bundles);
      await next.configure(state);
      if (this.#stopping || place.process !== old || next.phase !== "up") return next.kill();
      this.#settle(place, next);
      place.leaving = old;
    });
    await place.turn;
    this.#coming.delete(next);
    if (place.leaving !== old) return;
    const { logger, drainMs } = this.#options;
    this.#options.onChange();
    const gone = Promise.withResolvers<void>();
    await this.#aside(() => {
      gone.resolve(old.drain(drainMs, { isHandover: true }));
      return old.closed();
    });
    await gone.promise;
    place.leaving = undefined;
    const pids = { pid: next.pid, insteadOf: old.pid };
    logger.info("A fresh worker has taken over, without the code of old deployments", {
      worker: place.id,
      ...pids,
    });
  }

  #all(): readonly WorkerProcess[] {
    return [...this.#coming, ...this.reachable()];
  }

  #fork({ id }: Place): WorkerProcess {
    const { init, onRequest } = this.#options;
    const message = { type: "init", workerId: id, ...init, hopKeys: this.#hopKeys } as const;
    return new WorkerProcess(message, onRequest);
  }

  #start(place: Place): WorkerProcess {
    const process = this.#fork(place);
    this.#settle(place, process);
    return process;
  }

  /** Gives a process its place, and has it replaced when it ends there. */
  #settle(place: Place, process: WorkerProcess): void {
    const { logger } = this.#options;
    place.process = process;
    void process.exited.then(({ code, signal }) => {
      if (place.process !== process) return; // it has handed over
      place.process = undefined;
      if (this.#stopping) return;
      const healthy = process.phase !== "starting" &&
        Date.now() - process.startedAt.getTime() >= healthyMs;
      place.failures = healthy ? 1 : place.failures + 1;
      const inMs = backoffMs(place.failures, { firstMs: 50, maxMs: 10_000 });
      logger.error("Worker ended and will be replaced", {
        worker: place.id,
        pid: process.pid,
        ...(signal === null ? { exitCode: code } : { signal }),
        inMs,
      });
      place.timer = setTimeout(() => this.#replace(place), inMs);
      this.#options.onChange();
    });
  }

  #replace(place: Place): void {
    place.timer = undefined;
    place.restarts++;
    void this.#bring(place);
  }

  #endSilent(): void {
    const now = performance.now();
    const sinceMs = now - this.#watchedAt;
    this.#watchedAt = now;
    // After a pause of this process, what the workers said meanwhile is still to be read.
    if (sinceMs > watchMs * 3) return;
    const limitMs = this.#options.init.limits.stallMs + 3_000;
    for (const process of this.#all()) {
      if (process.silentMs < limitMs) continue;
      this.#options.logger.error("Worker does not answer and is ended", {
        worker: process.id,
        pid: process.pid,
        silentMs: Math.round(process.silentMs),
      });
      process.kill();
    }
  }
}
