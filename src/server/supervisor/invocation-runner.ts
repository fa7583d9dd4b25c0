import type { OdbLink } from "../../cluster/odb-link.ts";
import { isPlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { ClaimedInvocation, InvocationOutcome, Settlement } from "../../odb/durable-types.ts";
import type { NewInvocation } from "../../service/durable-work.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { ClaimLoop, describeFailure, isLoss, keepOutcome } from "./claim-loop.ts";

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

/** Runs the cluster's durable invocations on this server, and writes down how each ended. */
export class InvocationRunner {
  readonly #options: Required<InvocationRunnerOptions>;
  readonly #loop: ClaimLoop<ClaimedInvocation>;

  constructor(options: InvocationRunnerOptions) {
    this.#options = { claimMs: 15_000, pollMs: 2_000, ...options };
    const { link, claimMs, pollMs, parallel, canRun, logger } = this.#options;
    this.#loop = new ClaimLoop({
      source: {
        what: "invocations",
        dueInMs: () => link.use((store) => store.invocationDueInMs()),
        claim: (countMax) => this.#claim(countMax),
        run: (claim) => this.#run(claim),
        renew: (claims) => link.use((store) => store.renewInvocations(claims, claimMs)),
        giveBack: async (claims) => {
          await Promise.all(claims.map((claim) => this.#giveBack(claim, 0)));
        },
      },
      logger,
      parallel,
      batchMax,
      renewMs: claimMs / 3,
      pollMs,
      canRun,
    });
  }

  start(): void {
    this.#loop.start();
  }

  /**
   * Keeps an invocation; resolves to its id when it is on disk. Rejects with ODB_UNREACHABLE when
   * it cannot be kept, and with INVOCATION_INVALID.
   */
  async enqueue(invocation: NewInvocation): Promise<string> {
    const id = await this.#options.link.use((store) => store.enqueueInvocation(invocation));
    if (invocation.delayMs > this.#options.pollMs) return id;
    // Others are told only of what this server cannot begin itself.
    if (this.#loop.free > 0) this.wake();
    else this.#options.announce();
    return id;
  }

  /** Looks for work now. */
  wake(): void {
    this.#loop.wake();
  }

  /**
   * Claims nothing more and waits for what runs, for at most `drainMs`; what is left is given back
   * for other servers to repeat.
   */
  async stop(drainMs: number): Promise<void> {
    await this.#loop.stop(drainMs);
  }

  async #claim(countMax: number): Promise<
    { readonly claimed: readonly ClaimedInvocation[]; readonly dealtWith: number }
  > {
    const { link, server, claimMs, logger } = this.#options;
    const options = { by: server, countMax, claimMs };
    const { claimed, failed } = await link.use((store) => store.claimInvocations(options));
    for (const { id, service, cid, lastError } of failed) {
      logger.error("Invocation failed for good", { id, service, cid, reason: lastError });
    }
    return { claimed, dealtWith: claimed.length + failed.length };
  }

  async #run(claim: ClaimedInvocation): Promise<() => Promise<void>> {
    let outcome: InvocationOutcome;
    try {
      outcome = { ok: true, output: await this.#options.run(claim) };
    } catch (error) {
      if (isLoss(error)) return () => this.#giveBack(claim, lossPauseMs);
      // The same input will not fit the next time either.
      const final = isPlatformError(error, "REQUEST_INPUT_INVALID");
      outcome = { ok: false, error: describeFailure(error), final };
    }
    return () => this.#settle(claim, outcome);
  }

  async #settle(claim: ClaimedInvocation, outcome: InvocationOutcome): Promise<void> {
    const { link, logger, pollMs } = this.#options;
    const { id, service, cid } = claim;
    const settled = await keepOutcome(
      () => link.use((store) => store.settleInvocation(claim, outcome)),
      {
        retryMaxMs: pollMs,
        onRefused: (error) =>
          logger.error("An invocation's outcome cannot be kept", { id, service, cid, error }),
      },
    );
    if (settled !== undefined) this.#report(claim, outcome, settled);
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
