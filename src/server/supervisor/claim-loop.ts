import { isPlatformError, reasonOf } from "../../errors/platform-error.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { delay } from "../../lib/wait.ts";
import type { Logger } from "../../telemetry/logger.ts";

/** What is claimed, run and settled: invocations, or runs of jobs. */
export interface ClaimSource<C> {
  /** For the log, in the plural: `invocations`. */
  readonly what: string;
  /** How long until something is due; 0: something is; undefined: nothing waits. */
  dueInMs(): Promise<number | undefined>;
  /**
   * Claims at most `countMax`; `dealtWith` counts what needed no run as well. All calls may reject
   * with ODB_UNREACHABLE.
   */
  claim(countMax: number): Promise<{ readonly claimed: readonly C[]; readonly dealtWith: number }>;
  /** Runs one to its end; resolves with what writes down how it ended. Neither may reject. */
  run(claim: C): Promise<() => Promise<void>>;
  renew(claims: readonly C[]): Promise<void>;
  /**
   * Leaves what this server cannot finish to the others; must not reject. `ended` resolves when all
   * of it is written down after all.
   */
  giveBack(claims: readonly C[], ended: Promise<void>): Promise<void>;
  /**
   * Gives back what the ODB takes for claimed here and is not among `claims`: the answer to the
   * claim was lost. Nothing is being claimed meanwhile. Absent: such claims run out by themselves.
   */
  giveBackUnknown?(claims: readonly C[]): Promise<void>;
}

export interface ClaimLoopOptions<C> {
  readonly source: ClaimSource<C>;
  readonly logger: Logger;
  /** How many at a time; 0: none. */
  readonly parallel: number;
  /** Most that one claim takes. */
  readonly batchMax: number;
  /** How often claims are renewed: a third of what they last, or less. */
  readonly renewMs: number;
  /** How often the ODB is asked whether there is work, hints or not. */
  readonly pollMs: number;
  /** Whether there is a worker to run anything. */
  readonly canRun: () => boolean;
  /** What is due is left to less busy servers for up to this long. Default 0. */
  readonly yieldMs?: number;
}

/** Others are in the middle of taking what is due. */
const busyPauseMs = 50;
/**
 * After the ODB was away, claims of all servers may be over; who lives renews his first, before
 * anybody takes what is left for lost.
 */
const reunionMs = 1_000;
/**
 * So long after a question without an answer, what was asked may still be done; by then the ODB has
 * ended the transactions of those who are silent.
 */
const doubtMs = 10_000;

/**
 * Runs what the whole cluster shares on this server: asks the ODB what is due, claims some, and
 * renews the claims while they run. Whoever does not come back (killed, frozen, cut off) loses its
 * claims to the other servers. While there is no work, it costs one look-up in an index every
 * `pollMs`.
 */
export class ClaimLoop<C> {
  readonly #options: Required<ClaimLoopOptions<C>>;
  /** What is claimed and not yet written down. */
  readonly #claims = new Map<C, Promise<void>>();
  #runningCount = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setInterval> | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #wasAway = false;
  #doubtedUntil = 0;
  #reviewAt = Infinity;
  #state: "new" | "started" | "stopped" = "new";

  constructor(options: ClaimLoopOptions<C>) {
    this.#options = { yieldMs: 0, ...options };
  }

  start(): void {
    if (this.#state !== "new" || this.#options.parallel === 0) return;
    this.#state = "started";
    this.#renewal = setInterval(() => void this.#renew(), this.#options.renewMs);
    this.wake();
  }

  /** Looks for work now. */
  wake(): void {
    if (this.#state !== "started") return;
    this.#again = true;
    this.#round ??= this.#rounds().finally(() => this.#round = undefined);
  }

  /** How many more may begin now. */
  get free(): number {
    const { parallel, canRun } = this.#options;
    if (this.#state !== "started" || !canRun()) return 0;
    return parallel - this.#runningCount;
  }

  /**
   * Claims nothing more and waits for what runs, for at most `drainMs`; what is left is given back.
   */
  async stop(drainMs: number): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    clearTimeout(this.#timer);
    const over = new AbortController();
    const ended = this.#round?.catch(() => {}).then(() => this.#allEnded()) ?? this.#allEnded();
    const limit = delay(drainMs, { signal: over.signal }).catch(() => {});
    await Promise.race([ended, limit]);
    over.abort();
    clearInterval(this.#renewal);
    const left = [...this.#claims.keys()];
    if (left.length > 0) await this.#options.source.giveBack(left, this.#allEnded());
  }

  async #allEnded(): Promise<void> {
    await Promise.all(this.#claims.values());
  }

  async #rounds(): Promise<void> {
    clearTimeout(this.#timer);
    const { source, logger, pollMs } = this.#options;
    let nextMs = pollMs;
    while (this.#again && this.#state === "started") {
      this.#again = false;
      try {
        nextMs = await this.#look();
      } catch (error) {
        nextMs = pollMs;
        this.#doubt();
        // Losing the ODB is logged by the link.
        if (isPlatformError(error, "ODB_UNREACHABLE")) this.#wasAway = true;
        else logger.error(`Looking for ${source.what} failed`, { error });
      }
    }
    if (this.#state !== "started") return;
    this.#timer = setTimeout(() => this.wake(), nextMs);
  }

  /** Claims what is due, as far as there is room, and says when to look again. */
  async #look(): Promise<number> {
    const { source, pollMs, batchMax, parallel, yieldMs } = this.#options;
    await this.#review();
    for (let isMore = false;;) {
      // Whatever ends looks again; a worker that comes up is noticed at the next look.
      if (this.free <= 0) return pollMs;
      if (!isMore) {
        const dueInMs = await source.dueInMs();
        if (this.#wasAway) return await this.#reunite();
        if (dueInMs !== 0) return Math.min(dueInMs ?? pollMs, pollMs);
        if (yieldMs > 0) await delay(yieldMs * (this.#runningCount / parallel + Math.random()) / 2);
      }
      const countMax = Math.min(this.free, batchMax);
      if (countMax <= 0) return pollMs;
      const count = await this.#claim(countMax);
      if (count === 0) return busyPauseMs;
      isMore = count >= countMax;
    }
  }

  /** The ODB may hold claims that nobody here knows of, now or in a while. */
  #doubt(): void {
    this.#reviewAt = performance.now();
    this.#doubtedUntil = this.#reviewAt + doubtMs;
  }

  async #review(): Promise<void> {
    const now = performance.now();
    if (now < this.#reviewAt || this.#reviewAt > this.#doubtedUntil) return;
    this.#reviewAt = now + this.#options.pollMs;
    await this.#options.source.giveBackUnknown?.([...this.#claims.keys()]);
  }

  async #reunite(): Promise<number> {
    this.#wasAway = false;
    await this.#renew();
    return Math.min(reunionMs, this.#options.pollMs);
  }

  async #claim(countMax: number): Promise<number> {
    const { source } = this.#options;
    const { claimed, dealtWith } = await source.claim(countMax);
    for (const claim of claimed) {
      this.#claims.set(claim, this.#run(claim).finally(() => this.#claims.delete(claim)));
    }
    return dealtWith;
  }

  async #run(claim: C): Promise<void> {
    this.#runningCount++;
    const writeDown = await this.#options.source.run(claim);
    // The next one need not wait for the ODB.
    this.#runningCount--;
    this.wake();
    await writeDown();
  }

  async #renew(): Promise<void> {
    const { source, logger } = this.#options;
    if (this.#claims.size === 0) return;
    try {
      await source.renew([...this.#claims.keys()]);
    } catch (error) {
      logger.warn(`Claims of ${source.what} could not be renewed; others may take them`, {
        count: this.#claims.size,
        reason: reasonOf(error),
      });
    }
  }
}

/**
 * Writes down how something ended, trying for as long as the ODB is away; undefined when the ODB
 * refuses it.
 */
export async function keepOutcome<T>(
  write: () => Promise<T>,
  { retryMaxMs, onRefused }: {
    readonly retryMaxMs: number;
    readonly onRefused: (error: unknown) => void;
  },
): Promise<T | undefined> {
  for (let attempt = 1;; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (!isPlatformError(error) || error.kind !== "peer") {
        onRefused(error);
        return undefined; // its claim runs out
      }
    }
    await delay(backoffMs(attempt, { maxMs: retryMaxMs }));
  }
}

/** Why something failed, with what a PlatformError knows beside its message. */
export function describeFailure(error: unknown): string {
  const reason = reasonOf(error);
  if (!isPlatformError(error) || error.details === undefined) return reason;
  return `${reason} ${JSON.stringify(error.details)}`;
}

/** The process that ran it has gone, or there was none: it says nothing about the service. */
export function isLoss(error: unknown): boolean {
  return isPlatformError(error, "SERVER_WORKER_LOST") ||
    isPlatformError(error, "SERVER_NO_WORKER");
}
