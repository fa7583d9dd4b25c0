import type { Logger } from "../telemetry/logger.ts";
import type { BalancerEngine } from "./engine.ts";
import type { HopKeyring } from "./hop-keyring.ts";

const retryMs = 5_000;

export interface HopRotationOptions {
  readonly keyring: HopKeyring;
  readonly engine: Pick<BalancerEngine, "useHopKey">;
  readonly logger: Logger;
}

/** Brings a new key towards servers into use when they know it. */
export class HopRotation {
  readonly #options: HopRotationOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HopRotationOptions) {
    this.#options = options;
    this.#schedule();
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
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const inMs = this.#options.keyring.changesInMs;
    if (inMs !== undefined) this.#timer = setTimeout(() => void this.#bring(), inMs + 1);
  }

  async #bring(): Promise<void> {
    const { keyring, engine, logger } = this.#options;
    try {
      await engine.useHopKey(keyring.shown);
      logger.info("the new key towards servers is in use");
    } catch (error) {
      // The old one is good for some minutes more.
      logger.error("the new key towards servers could not be used; trying on", { error });
      this.#timer = setTimeout(() => void this.#bring(), retryMs);
    }
  }
}
