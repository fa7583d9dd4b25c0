import type { OdbLink } from "../../../cluster/odb-link.ts";
import type { RunClaim, RunOutcome, RunSettlement } from "../../../odb/job-types.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import { keepOutcome } from "../claim-loop.ts";

export interface SettleBatchOptions {
  readonly link: Pick<OdbLink, "use">;
  readonly logger: Logger;
  /** How long outcomes are gathered. Default 10. */
  readonly gatherMs?: number;
}

interface Waiting {
  readonly claim: RunClaim;
  readonly outcome: RunOutcome;
  readonly resolve: (settled: RunSettlement | undefined) => void;
}

const batchMax = 500;
/** Longest pause between two attempts while the ODB is away. */
const retryMaxMs = 1_000;

/**
 * Writes outcomes of runs down, many in one transaction: those of a moment, and those that come
 * while the one before is being written.
 */
export class SettleBatch {
  readonly #link: SettleBatchOptions["link"];
  readonly #logger: Logger;
  readonly #gatherMs: number;
  #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isWriting = false;

  constructor({ link, logger, gatherMs = 10 }: SettleBatchOptions) {
    this.#link = link;
    this.#logger = logger;
    this.#gatherMs = gatherMs;
  }

  /** Resolves when it is written, however long the ODB is away; undefined: the ODB refused it. */
  settle(claim: RunClaim, outcome: RunOutcome): Promise<RunSettlement | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push({ claim, outcome, resolve });
      this.#arm();
    });
  }

  #arm(): void {
    if (this.#isWriting || this.#waiting.length === 0) return;
    this.#timer ??= setTimeout(() => void this.#flush(), this.#gatherMs);
  }

  async #flush(): Promise<void> {
    this.#timer = undefined;
    this.#isWriting = true;
    const batch = this.#waiting.slice(0, batchMax);
    this.#waiting = this.#waiting.slice(batchMax);
    // One outcome that the ODB refuses must not take its neighbours along.
    if (!await this.#write(batch)) await Promise.all(batch.map((one) => this.#writeAlone(one)));
    this.#isWriting = false;
    this.#arm();
  }

  async #write(batch: readonly Waiting[]): Promise<boolean> {
    const settled = await keepOutcome(
      () => this.#link.use((store) => store.settleRuns(batch)),
      { retryMaxMs, onRefused: () => {} },
    );
    if (settled === undefined) return false;
    batch.forEach(({ resolve }, index) => resolve(settled[index]));
    return true;
  }

  async #writeAlone({ claim, outcome, resolve }: Waiting): Promise<void> {
    const settled = await keepOutcome(
      () => this.#link.use((store) => store.settleRuns([{ claim, outcome }])),
      {
        retryMaxMs,
        onRefused: (error) =>
          this.#logger.error("A run's outcome cannot be kept", { run: claim.id, error }),
      },
    );
    resolve(settled?.[0]);
  }
}
