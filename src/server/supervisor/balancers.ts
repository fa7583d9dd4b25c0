import type { Logger } from "../../telemetry/logger.ts";
import type { Registration } from "../../load-balancer/api.ts";
import { poll } from "../../lib/wait.ts";
import { AgentCheck } from "./agent-check.ts";
import { type BalancerAgent, BalancerRegistration } from "./balancer-registration.ts";
import type { Vitals } from "./health-weight.ts";
import { HopKeys } from "./hop-keys.ts";

export interface BalancersOptions {
  readonly agents: readonly BalancerAgent[];
  readonly server: string;
  /** Where balancers reach this server's HTTP port. */
  readonly address: Pick<Registration, "host" | "port" | "tls">;
  /** Where the agent check listens. */
  readonly check: { readonly host: string; readonly port: number };
  /** What is learnt of balancers, for the next start. */
  readonly keyFile: string;
  readonly vitals: () => readonly (Vitals | undefined)[];
  /** Called with the keys that balancers show from now on. */
  readonly onKeys: (keys: readonly string[]) => void;
  readonly logger: Logger;
}

/** Servers step aside one after another: each is done in a second or two. */
const asideMs = 10_000;

/** The ties of a server to the balancers in front of it. */
export class Balancers {
  readonly #options: BalancersOptions;
  readonly #check: AgentCheck;
  readonly #keys: HopKeys;
  #registrations: readonly BalancerRegistration[] = [];

  constructor(options: BalancersOptions) {
    this.#options = options;
    const { agents, check, keyFile, vitals, onKeys, logger } = options;
    this.#check = new AgentCheck({ ...check, vitals });
    const file = keyFile;
    const urls = agents.map(({ url }) => url);
    this.#keys = new HopKeys({ file, agents: urls, onChange: onKeys, logger });
  }

  /**
   * Learns what balancers show before the first request can come from one; an agent that does not
   * answer holds up nothing. Throws SERVER_WEIGHT_PORT.
   */
  async prepare(): Promise<void> {
    const { agents, server, address, logger } = this.#options;
    await this.#keys.load();
    await this.#check.start();
    const registration = { ...address, weightPort: this.#check.port };
    const keys = this.#keys;
    this.#registrations = agents.map((agent) =>
      new BalancerRegistration({ agent, server, address: registration, keys, logger })
    );
    await Promise.all(this.#registrations.map((one) => one.learnKeys({ timeoutMs: 1_000 })));
  }

  /** Registers now and from now on; resolves after the first attempts. */
  async start(): Promise<void> {
    await Promise.all(this.#registrations.map((one) => one.start()));
  }

  /**
   * Does something while no balancer sends anything new. Where one cannot spare this server for all
   * of `asideMs`, or does not answer, it is done all the same.
   */
  async aside(work: () => Promise<void>): Promise<void> {
    const isAside = await poll(() => this.#stepAside(), { timeoutMs: asideMs, intervalMs: 250 });
    try {
      await work();
    } finally {
      if (isAside === true) await this.#stepBack();
    }
  }

  /** Takes the server out of every rotation; resolves when nothing new will come. */
  async stop(): Promise<void> {
    this.#check.drain();
    await Promise.all(this.#registrations.map((one) => one.stop()));
  }

  close(): void {
    this.#check.close();
  }

  /** Undefined when not every balancer can spare this server; it is in all rotations then. */
  async #stepAside(): Promise<true | undefined> {
    const asked = await Promise.allSettled(this.#registrations.map((one) => one.stepAside()));
    if (asked.every(({ status }) => status === "fulfilled")) return true;
    await this.#stepBack();
    return undefined;
  }

  async #stepBack(): Promise<void> {
    await Promise.all(this.#registrations.map((one) => one.stepBack()));
  }
}
