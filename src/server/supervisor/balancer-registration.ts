import { reasonOf } from "../../errors/platform-error.ts";
import type { Registration } from "../../load-balancer/api.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { HopKeys } from "./hop-keys.ts";

/** An agent that cannot say its keys is no reason not to register. */
const keysTimeoutMs = 5_000;

/** What a server needs of the balancer's agent. */
export interface BalancerAgent {
  /** `https://host:port` */
  readonly url: string;
  /** What its balancer shows to servers. */
  hopKeys(): Promise<readonly string[]>;
  register(server: string, registration: Registration): Promise<unknown>;
  drain(server: string): Promise<unknown>;
  /** Drains it where others take its requests, until it registers again. */
  stepAside(server: string): Promise<void>;
}

export interface BalancerRegistrationOptions {
  readonly agent: BalancerAgent;
  readonly server: string;
  /** Where the balancer reaches this server's HTTP port. */
  readonly address: Registration;
  readonly keys: Pick<HopKeys, "learn">;
  readonly logger: Logger;
  /** Default 3,000. */
  readonly intervalMs?: number;
}

/**
 * Tells the balancer's agent where this server listens, and again every few seconds, so that a
 * balancer that was replaced learns it too. An agent that is away is no reason not to serve.
 */
export class BalancerRegistration {
  readonly #options: Required<BalancerRegistrationOptions>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> = Promise.resolve();
  /** Whether the agent has taken the last registration. */
  #registered = false;
  /** Whether the agent has ever taken one: it may go on sending requests, whatever it says since. */
  #isKnown = false;
  #active = false;
  #failing = false;

  constructor(options: BalancerRegistrationOptions) {
    this.#options = { intervalMs: 3_000, ...options };
  }

  /** Asks what the balancer shows to servers; never rejects, and waits for at most `timeoutMs`. */
  async learnKeys({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    const late = () => new Error(`no answer within ${timeoutMs} ms`);
    await withTimeout(this.#learnKeys(), timeoutMs, late).catch((error: unknown) => {
      this.#options.logger.debug("The balancer's keys could not be learnt now", {
        reason: reasonOf(error),
      });
    });
  }

  /** Registers now and from now on; resolves after the first attempt. */
  async start(): Promise<void> {
    this.#active = true;
    await this.#register();
  }

  /** Takes the server out of the balancer's rotation; resolves when nothing new will come. */
  async stop(): Promise<void> {
    this.#active = false;
    clearTimeout(this.#timer);
    await this.#round;
    if (!this.#isKnown) return;
    this.#isKnown = false;
    this.#registered = false;
    const { agent, server, logger } = this.#options;
    try {
      await agent.drain(server);
    } catch (error) {
      logger.warn("The balancer could not be told that this server leaves", {
        reason: reasonOf(error),
      });
    }
  }

  /**
   * Has the balancer send nothing new until `stepBack`. Throws what the agent answers, such as
   * BALANCER_LAST_SERVER; the server is in rotation as before then.
   */
  async stepAside(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#round;
    clearTimeout(this.#timer);
    if (this.#isKnown) await this.#options.agent.stepAside(this.#options.server);
  }

  /** Registers again, unless the server has left meanwhile. */
  async stepBack(): Promise<void> {
    if (this.#active) await this.#register();
  }

  /** One round after another, and one timer: a registration ends a draining, so none may be left. */
  #register(): Promise<void> {
    this.#round = this.#round.then(() => this.#attempt()).then(() => {
      clearTimeout(this.#timer);
      if (!this.#active) return;
      this.#timer = setTimeout(() => void this.#register(), this.#options.intervalMs);
    });
    return this.#round;
  }

  async #attempt(): Promise<void> {
    const { agent, server, address, logger } = this.#options;
    try {
      // First the keys: with the registration requests may come at once.
      await this.learnKeys({ timeoutMs: keysTimeoutMs });
      if (!this.#active) return;
      await agent.register(server, address);
      if (!this.#registered) logger.info("Registered with the balancer", { ...address });
      this.#registered = true;
      this.#isKnown = true;
      this.#failing = false;
    } catch (error) {
      this.#registered = false;
      if (!this.#failing) {
        logger.warn("The balancer's agent did not take the registration; trying on", {
          reason: reasonOf(error),
        });
      }
      this.#failing = true;
    }
  }

  async #learnKeys(): Promise<void> {
    const { agent, keys } = this.#options;
    await keys.learn(agent.url, await agent.hopKeys());
  }
}
