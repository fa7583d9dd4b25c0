import { rm, writeFile } from "node:fs/promises";
import { backoffMs } from "../../lib/backoff.ts";
import { delay, poll } from "../../lib/wait.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { createSerial } from "../serial.ts";
import type { HaproxyBinary } from "./binary.ts";
import { type ControlSession, openControlSession, sendCommand } from "./control-socket.ts";
import type { AccessLogTarget } from "./access-log.ts";
import type { RuntimeFiles } from "./model.ts";
import { type HaproxyProcess, servingPid, startHaproxyProcess } from "./process.ts";
import {
  endProcesses,
  identifyProcess,
  isSameProcessAlive,
  loadLeftovers,
  type ProcessId,
  saveProcessRecord,
  sendSignal,
} from "./process-record.ts";
import { backendName } from "./render.ts";
import { parseStat } from "./stats.ts";

/** Deaths in a row, none of which let HAProxy live for `healthyAfterMs`, before giving up. */
const deathsMax = 8;
const healthyAfterMs = 30_000;
const restartBackoff = { firstMs: 50, maxMs: 2_000 };

export interface KeeperOptions {
  readonly binary: HaproxyBinary;
  readonly configFile: string;
  readonly runtime: RuntimeFiles;
  /** `run/haproxy.json` */
  readonly recordFile: string;
  /** Where requests are logged when the configuration says `file`. */
  readonly accessLogFile: string;
  /** What the first HAProxy's standard output is. */
  readonly output: AccessLogTarget;
  /** What the next HAProxy finds in its environment besides our own. */
  readonly environment: () => Readonly<Record<string, string>>;
  /** Called whenever a new HAProxy has read the configuration file. */
  readonly onStarted: () => void;
  readonly logger: Logger;
}

/**
 * Keeps one HAProxy serving: starts it, replaces it without closing a connection, starts another
 * when it dies, and finds the one that an agent before us left behind.
 *
 * States: stopped -> (start) -> running <-> (died) restarting -> (too often) failed;
 * from anywhere -> (stop) -> stopped.
 */
export class HaproxyKeeper {
  readonly #options: KeeperOptions;
  readonly #serial = createSerial();
  readonly #failure = Promise.withResolvers<never>();
  readonly #stopping = new AbortController();
  #current: HaproxyProcess | undefined;
  /** Processes that finish what they had before a reload; of ours, or of an agent before us. */
  #finishing: ProcessId[] = [];
  #startedAt = 0;
  #launching = false;
  #output: AccessLogTarget;
  /** False until it is sure that no other agent uses the same files. */
  #ownsFiles = false;
  #deaths = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#output = options.output;
    this.#failure.promise.catch(() => {}); // whoever watches `failed` gets it; nobody has to
  }

  /** Rejects with BALANCER_DIED when HAProxy cannot be kept alive. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  get isRunning(): boolean {
    return this.#current !== undefined;
  }

  /** What the HAProxy that serves found in its environment; undefined while none serves. */
  get environment(): Readonly<Record<string, string>> | undefined {
    return this.#current?.environment;
  }

  /** How many processes only finish what they had before a reload. */
  get finishing(): number {
    return this.#finishing.filter(isSameProcessAlive).length;
  }

  /** Starts HAProxy, taking the sockets of one that a killed agent left serving. */
  start(): Promise<void> {
    return this.#serial(async () => {
      const { recordFile, runtime, logger } = this.#options;
      const leftovers = await loadLeftovers(recordFile);
      this.#ownsFiles = true;
      await this.#writeServerState({ keepState: false });
      if (leftovers === undefined) return await this.#launch([]);
      const { processes } = leftovers;
      const pid = leftovers.socket === runtime.socket
        ? await servingPid(runtime.socket)
        : undefined;
      const isServed = processes.some((one) => one.pid === pid);
      logger.warn("found the HAProxy of an agent that was killed", {
        pids: processes.map((one) => one.pid),
        action: isServed ? "taken over" : "ended",
      });
      if (!isServed) {
        // Those that do not answer can hand nothing over, and would keep the port.
        await endProcesses(processes);
        return await this.#launch([]);
      }
      // From here on they are ours to end, also when the new one does not start.
      this.#finishing.push(...processes);
      await this.#launch(processes);
    });
  }

  /**
   * Runs `task` while no HAProxy is being started: of what it changes, every later one reads all,
   * and the one that runs, if there is one, has read nothing.
   */
  betweenStarts<T>(task: () => Promise<T>): Promise<T> {
    return this.#serial(task);
  }

  /**
   * Lets a new HAProxy with the configuration file as it is now take over. With `keepState` it
   * begins with what the one before knew of its servers: their health, but also whether they are
   * in maintenance.
   */
  replace(
    { keepState, output }: { readonly keepState: boolean; readonly output: AccessLogTarget },
  ): Promise<void> {
    return this.#serial(async () => {
      this.#stopping.signal.throwIfAborted();
      this.#output = output;
      const predecessors = this.#current === undefined ? [] : [this.#current.id];
      await this.#writeServerState({ keepState: keepState && this.isRunning });
      await this.#launch(predecessors);
    });
  }

  /**
   * Stops accepting, waits at most `drainMs` for requests in flight, also for those that a process
   * from before a reload still has, ends. Idempotent, and right also after a failed start.
   */
  async stop({ drainMs }: { readonly drainMs: number }): Promise<void> {
    this.#stopping.abort();
    await this.#serial(async () => {
      const current = this.#current;
      this.#current = undefined;
      const all = [...(current === undefined ? [] : [current.id]), ...this.#finishing];
      await this.#drain(current, drainMs);
      await endProcesses(all);
      const { recordFile, runtime } = this.#options;
      if (!this.#ownsFiles) return;
      for (const file of [recordFile, runtime.socket, runtime.serverState]) {
        await rm(file, { force: true });
      }
    });
  }

  /** Starts a HAProxy in place of those, if there are any; one of them serves. */
  async #launch(predecessors: readonly ProcessId[]): Promise<void> {
    this.#launching = true;
    try {
      await this.#startAfter(predecessors);
    } finally {
      this.#launching = false;
      this.#noticeDeath();
    }
  }

  async #startAfter(predecessors: readonly ProcessId[]): Promise<void> {
    const { binary, configFile, runtime, logger } = this.#options;
    const started = await startHaproxyProcess({
      binary: binary.path,
      configFile,
      socket: runtime.socket,
      output: this.#output === "file" ? this.#options.accessLogFile : this.#output,
      environment: this.#options.environment(),
      successorOf: predecessors.map(({ pid }) => pid),
      onSpawned: (id) => this.#record([id, ...predecessors]),
      logger,
    });
    this.#finishing = [...new Set([...this.#finishing, ...predecessors])];
    this.#current = started;
    this.#options.onStarted();
    logger.info("haproxy serves", {
      pid: started.id.pid,
      before: predecessors.map(({ pid }) => pid),
    });
    this.#startedAt = performance.now();
    void started.exited.then(() => this.#noticeDeath());
  }

  #noticeDeath(): void {
    const dead = this.#current;
    // During a hand-over the one before may end first; who is current is settled after it.
    if (this.#launching || dead === undefined || dead.isRunning()) return;
    this.#current = undefined;
    if (performance.now() - this.#startedAt > healthyAfterMs) this.#deaths = 0;
    void dead.exited.then((why) => this.#revive(why));
  }

  async #revive(why: string): Promise<void> {
    let reason = why;
    while (!this.#stopping.signal.aborted) {
      this.#deaths++;
      if (this.#deaths > deathsMax) {
        this.#failure.reject(
          new PlatformError("BALANCER_DIED", { count: this.#deaths, reason }),
        );
        return;
      }
      const waitMs = backoffMs(this.#deaths, restartBackoff);
      this.#options.logger.error("haproxy died; starting it again", { reason, waitMs });
      try {
        await delay(waitMs, { signal: this.#stopping.signal });
        await this.#serial(async () => {
          // A reload may have started one meanwhile.
          if (this.isRunning || this.#stopping.signal.aborted) return;
          await this.#writeServerState({ keepState: false });
          await this.#launch([]);
        });
        return;
      } catch (error) {
        reason = reasonOf(error);
      }
    }
  }

  /** Without it a new HAProxy believes every server to be up until its first checks fail. */
  async #writeServerState({ keepState }: { readonly keepState: boolean }): Promise<void> {
    const { runtime, logger } = this.#options;
    let state = "1\n";
    if (keepState) {
      try {
        state = await sendCommand(runtime.socket, "show servers state") + "\n";
      } catch (error) {
        logger.warn("the new HAProxy has to learn anew which servers are up", { error });
      }
    }
    await writeFile(runtime.serverState, state, { mode: 0o600 });
  }

  async #record(serving: readonly ProcessId[]): Promise<void> {
    this.#finishing = this.#finishing.filter(isSameProcessAlive);
    await saveProcessRecord(this.#options.recordFile, {
      agent: identifyProcess(process.pid),
      socket: this.#options.runtime.socket,
      processes: [...new Set([...serving, ...this.#finishing])],
    });
  }

  /** Waits for `current` and for all that finish what they had before a reload. */
  async #drain(current: HaproxyProcess | undefined, drainMs: number): Promise<void> {
    const session = current === undefined ? undefined : await this.#openSession();
    if (current !== undefined) sendSignal(current.id, "SIGUSR1");
    const isIdle = async () => {
      if (current === undefined || !current.isRunning()) return true;
      // A kept-alive client without a request would hold HAProxy until its own time limit.
      return session !== undefined && await hasNoRequests(session);
    };
    try {
      await poll(async () => await isIdle() && this.finishing === 0 ? true : undefined, {
        timeoutMs: drainMs,
        intervalMs: 50,
      });
    } finally {
      session?.close();
    }
  }

  async #openSession(): Promise<ControlSession | undefined> {
    try {
      return await openControlSession(this.#options.runtime.socket);
    } catch (error) {
      this.#options.logger.warn("cannot see which requests are in flight", { error });
      return undefined;
    }
  }
}

async function hasNoRequests(session: ControlSession): Promise<boolean> {
  const csv = await session.send("show stat").catch(() => ""); // it may end while it is asked
  const backend = parseStat(csv).find(({ pxname, svname }) =>
    pxname === backendName && svname === "BACKEND"
  );
  return backend?.["scur"] === "0";
}
