import type { OdbLink } from "../../cluster/odb-link.ts";
import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { delay } from "../../lib/wait.ts";
import type { ClaimedInvocation, InvocationOutcome, Settlement } from "../../odb/durable-types.ts";
import type { NewInvocation } from "../../service/durable-work.ts";
import type { Logger } from "../../telemetry/logger.ts";

export interface InvocationRunnerOptions {
  readonly link: OdbLink;
  readonly server: string;
  /** Invokes the service on a worker and resolves with its output. */
  readonly run: (invocation: ClaimedInvocation) => Promise<unknown>;
  /** Whether there is a worker to run anything. */
  readonly canRun: () => boolean;
  /** Tells the other servers that there is work. */
  readonly announce: () => void;
  readonly logger: Logger;
  /** Invocations at a time; 0: this server runs none. */
  readonly parallel: number;
  /** How long a claim holds unless it is renewed. Default 15,000. */
  readonly claimMs?: number;
  /** How often the ODB is asked whether there is work, hints or not. Default 2,000. */
  readonly pollMs?: number;
}

/** What a claim takes at once, so that one server does not take what others could run sooner. */
const batchMax = 8;
/** After the process that ran it has gone. */
const lossPauseMs = 1_000;
/** Others are in the middle of taking what is due. */
const busyPauseMs = 50;

/**
 * Runs the cluster's durable invocations on this server: asks the ODB what is due, claims some,
 * renews the claims while they run, and writes down how each ended. Whoever does not come back to
 * say so (killed, frozen, cut off) loses its claims to the other servers, and its word is not
 * taken any more. While there is no work, it costs one look-up in an index every `pollMs`.
 */
export class InvocationRunner {
  readonly #options: Required<InvocationRunnerOptions>;
  readonly #running = new Map<ClaimedInvocation, Promise<void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewal: ReturnType<typeof setInterval> | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #state: "new" | "started" | "stopped" = "new";

  constructor(options: InvocationRunnerOptions) {
    this.#options = { claimMs: 15_000, pollMs: 2_000, ...options };
  }

  start(): void {
    if (this.#state !== "new" || this.#options.parallel === 0) return;
    this.#state = "started";
    const { claimMs } = this.#options;
    this.#renewal = setInterval(() => void this.#renew(), claimMs / 3);
    this.wake();
  }

  /**
   * Keeps an invocation; resolves to its id when it is on disk. Rejects with ODB_UNREACHABLE when
   * it cannot be kept, and with INVOCATION_INVALID.
   */
  async enqueue(invocation: NewInvocation): Promise<string> {
    const id = await this.#options.link.use((store) => store.enqueueInvocation(invocation));
    if (invocation.delayMs > this.#options.pollMs) return id;
    // Others are told only of what this server cannot begin itself.
    if (this.#free > 0) this.wake();
    else this.#options.announce();
    return id;
  }

  /** Looks for work now. */
  wake(): void {
    if (this.#state !== "started") return;
    this.#again = true;
    this.#round ??= this.#rounds().finally(() => this.#round = undefined);
  }

  /**
   * Claims nothing more and waits for what runs, for at most `drainMs`; what is left is given back
   * for other servers to repeat.
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
    const left = [...this.#running.keys()];
    await Promise.all(left.map((claim) => this.#giveBack(claim, 0)));
  }

  get #free(): number {
    const { parallel, canRun } = this.#options;
    if (this.#state !== "started" || !canRun()) return 0;
    return parallel - this.#running.size;
  }

  async #allEnded(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #rounds(): Promise<void> {
    clearTimeout(this.#timer);
    let nextMs = this.#options.pollMs;
    while (this.#again && this.#state === "started") {
      this.#again = false;
      try {
        nextMs = await this.#look();
      } catch (error) {
        nextMs = this.#options.pollMs;
        // Losing the ODB is logged by the link.
        if (!isPlatformError(error, "ODB_UNREACHABLE")) {
          this.#options.logger.error("Looking for invocations failed", { error });
        }
      }
    }
    if (this.#state !== "started") return;
    this.#timer = setTimeout(() => this.wake(), nextMs);
  }

  /** Claims what is due, as far as there is room, and says when to look again. */
  async #look(): Promise<number> {
    const { link, pollMs } = this.#options;
    for (;;) {
      const free = this.#free;
      // Whatever ends looks again; a worker that comes up is noticed at the next look.
      if (free <= 0) return pollMs;
      const dueInMs = await link.use((store) => store.invocationDueInMs());
      if (dueInMs !== 0) return Math.min(dueInMs ?? pollMs, pollMs);
      if (await this.#claim(Math.min(free, batchMax)) === 0) return busyPauseMs;
    }
  }

  async #claim(countMax: number): Promise<number> {
    const { link, server, claimMs, logger } = this.#options;
    const options = { by: server, countMax, claimMs };
    const { claimed, failed } = await link.use((store) => store.claimInvocations(options));
    for (const { id, service, cid, lastError } of failed) {
      logger.error("Invocation failed for good", { id, service, cid, reason: lastError });
    }
    for (const claim of claimed) {
      const running = this.#run(claim).finally(() => {
        this.#running.delete(claim);
        this.wake();
      });
      this.#running.set(claim, running);
    }
    return claimed.length + failed.length;
  }

  async #run(claim: ClaimedInvocation): Promise<void> {
    let outcome: InvocationOutcome;
    try {
      outcome = { ok: true, output: await this.#options.run(claim) };
    } catch (error) {
      if (isLoss(error)) return await this.#giveBack(claim, lossPauseMs);
      // The same input will not fit the next time either.
      const final = isPlatformError(error, "REQUEST_INPUT_INVALID");
      outcome = { ok: false, error: describe(error), final };
    }
    const settled = await this.#settle(claim, outcome);
    if (settled !== undefined) this.#report(claim, outcome, settled);
  }

  /** Writes an outcome down, trying for as long as the ODB is away; undefined when it never was. */
  async #settle(
    claim: ClaimedInvocation,
    outcome: InvocationOutcome,
  ): Promise<Settlement | undefined> {
    const { link, logger, pollMs } = this.#options;
    for (let attempt = 1;; attempt++) {
      try {
        return await link.use((store) => store.settleInvocation(claim, outcome));
      } catch (error) {
        const { id, service, cid } = claim;
        if (!isPlatformError(error) || error.kind !== "peer") {
          logger.error("An invocation's outcome cannot be kept", { id, service, cid, error });
          return undefined; // its claim runs out, and it is repeated
        }
      }
      await delay(backoffMs(attempt, { maxMs: pollMs }));
    }
  }

  async #giveBack({ id, epoch, service, cid }: ClaimedInvocation, inMs: number): Promise<void> {
    const { link, logger } = this.#options;
    logger.warn("Invocation was cut off and will be repeated", { id, service, cid });
    try {
      await link.use((store) => store.releaseInvocation({ id, epoch }, inMs));
    } catch (error) {
      logger.debug("The claim runs out by itself", { id, reason: reasonOf(error) });
    }
  }

  async #renew(): Promise<void> {
    if (this.#running.size === 0) return;
    const { link, claimMs, logger } = this.#options;
    try {
      const claims = [...this.#running.keys()];
      await link.use((store) => store.renewInvocations(claims, claimMs));
    } catch (error) {
      logger.warn("Claims of invocations could not be renewed; others may repeat them", {
        running: this.#running.size,
        reason: reasonOf(error),
      });
    }
  }

  #report(claim: ClaimedInvocation, outcome: InvocationOutcome, settled: Settlement): void {
    const { id, service, cid, attempt, attemptsMax } = claim;
    const { logger } = this.#options;
    const about = { id, service, cid, attempt, attemptsMax };
    const reason = outcome.ok ? {} : { reason: outcome.error };
    switch (settled.state) {
      case "done":
        return logger.debug("Invocation done", about);
      case "retried":
        return logger.warn("Invocation failed and will be tried again", {
          ...about,
          ...reason,
          inMs: settled.inMs,
        });
      case "failed":
        return logger.error("Invocation failed for good", { ...about, ...reason });
      case "taken":
        return logger.warn("Invocation ended here too late: another server has it", about);
    }
  }
}

/** The process that ran it has gone, or there was none: it says nothing about the service. */
function isLoss(error: unknown): boolean {
  return isPlatformError(error, "SERVER_WORKER_LOST") ||
    isPlatformError(error, "SERVER_NO_WORKER");
}

function describe(error: unknown): string {
  const reason = reasonOf(error);
  if (!(error instanceof PlatformError) || error.details === undefined) return reason;
  return `${reason} ${JSON.stringify(error.details)}`;
}
