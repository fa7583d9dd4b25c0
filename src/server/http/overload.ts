import { PlatformError } from "../../errors/platform-error.ts";
import type { TurnQueue } from "../../service/running/turn-queue.ts";
import type { Logger } from "../../telemetry/logger.ts";

/** When a process begins to refuse requests. */
export interface OverloadLimits {
  /** Requests without an answer that one process may have. */
  readonly inFlight: number;
  /** How long requests may have to wait for the processor before new ones are refused. */
  readonly waitMs: number;
  /** For the length of a burst, waits as long as this are borne. */
  readonly burstMs: number;
}

/** What waits for the processor. */
type Backlog = Pick<TurnQueue, "waiting" | "waitMs" | "behindMs">;

/** For clients that were sent away. */
const retryAfterMs = 1_000;

/** So long without a refusal, and it is over. */
const quietMs = 1_000;

/**
 * Decides whether a process has more requests than it can answer, and says in the log when that
 * begins and ends.
 */
export class Overload {
  readonly #turns: Backlog;
  readonly #limits: OverloadLimits;
  readonly #logger: Logger;
  /** Requests refused since the process started. */
  refusedTotal = 0;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(turns: Backlog, limits: OverloadLimits, logger: Logger) {
    this.#turns = turns;
    this.#limits = limits;
    this.#logger = logger;
  }

  /** Why one more request is refused, beside so many that have no answer yet; undefined: it is not. */
  refusal(inFlight: number): PlatformError | undefined {
    const isFull = inFlight >= this.#limits.inFlight;
    if (!isFull && (this.#turns.waiting === 0 || !this.#isBehind())) return undefined;
    this.refusedTotal++;
    this.#watch ??= this.#watchSpell(inFlight);
    return new PlatformError("REQUEST_OVERLOAD", {}, { retryAfterMs });
  }

  #isBehind(): boolean {
    const { waitMs, burstMs } = this.#limits;
    return this.#turns.waitMs > (this.#turns.behindMs > burstMs ? waitMs : burstMs);
  }

  #watchSpell(inFlight: number): ReturnType<typeof setInterval> {
    const { waiting, waitMs } = this.#turns;
    this.#logger.warn("Overloaded: requests are refused", {
      inFlight,
      waiting,
      waitMs: Math.round(waitMs),
    });
    const before = this.refusedTotal - 1;
    let seen = this.refusedTotal;
    const watch = setInterval(() => {
      const isOver = this.refusedTotal === seen;
      seen = this.refusedTotal;
      if (!isOver) return;
      clearInterval(watch);
      this.#watch = undefined;
      this.#logger.info("No longer overloaded", { refused: seen - before });
    }, quietMs);
    watch.unref();
    return watch;
  }
}
