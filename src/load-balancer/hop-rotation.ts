import type { Logger } from "../telemetry/logger.ts";
import type { BalancerEngine } from "./engine.ts";
import type { HopKeyring } from "./hop-keyring.ts";

export interface HopRotationOptions {
  readonly keyring: HopKeyring;
  readonly engine: Pick<BalancerEngine, "useHopKey">;
  readonly logger: Logger;
  /** How long after a failure the engine is asked again. Default 5 s. */
  readonly retryMs?: number;
}

/**
 * Brings a new key towards servers into use when they know it; also one whose time came while the
 * engine was starting, or while no agent was there to bring it.
 */
export class HopRotation {
  readonly #options: HopRotationOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /** For an engine that runs. */
  constructor(options: HopRotationOptions) {
    this.#options = options;
    void this.#bring();
  }

  /** What servers are to believe. */
  get accepted(): readonly string[] {
    return this.#options.keyring.accepted;
  }

  /** Makes a new key; resolves when servers can learn of it. */
  async rotate(): Promise<void> {
    await this.#options.keyring.rotate();
    this.#options.logger.info("new key towards servers", {
      usedInMs: this.#options.keyring.changesInMs,
    });
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    const inMs = this.#options.keyring.changesInMs;
    if (inMs !== undefined) this.#bringIn(inMs + 1);
  }

  #bringIn(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.#bring(), ms);
  }

  async #bring(): Promise<void> {
    const { keyring, engine, logger, retryMs = 5_000 } = this.#options;
    const { shown } = keyring;
    try {
      await engine.useHopKey(shown);
      if (await keyring.noteUse(shown)) logger.info("the new key towards servers is in use");
      this.#schedule();
    } catch (error) {
      // Servers believe the one before it as long as this one is not in use.
      logger.error("the new key towards servers could not be used; trying on", { error });
      this.#bringIn(retryMs);
    }
  }
}
