import { isPlatformError } from "../../errors/platform-error.ts";
import { poll } from "../../lib/wait.ts";
import type { HeldLease, LeaseHolder, LeaseProof } from "../../odb/lease-types.ts";
import type { ClusterStore } from "../../odb/types.ts";
import type { Logger } from "../../telemetry/logger.ts";
import {
  LeaseCampaigns,
  type LeaseCommand,
  type LeaseLoss,
  type LeaseView,
} from "./lease-campaigns.ts";
import type { LeaseTiming } from "./lease-timing.ts";

/** What leases need of the ODB. */
export type LeaseOdb = Pick<
  ClusterStore,
  "acquireLease" | "renewLeases" | "releaseLease" | "listLeases" | "listServers"
>;

export interface LeaseKeeperOptions {
  /** An `OdbLink`. */
  readonly link: { use<T>(work: (store: LeaseOdb) => Promise<T>): Promise<T> };
  readonly holder: LeaseHolder;
  readonly logger: Logger;
  /** See `leaseTimingFor`. */
  readonly timing: LeaseTiming;
}

/** Is told when a lease comes and goes. Neither may throw. */
export interface LeaseCampaign {
  /** The proof names this term; whether it still lasts is said by `LeaseKeeper.proof`. */
  readonly onHeld: (proof: LeaseProof) => void;
  /** Called once for each `onHeld`. */
  readonly onLost: (reason: LeaseLoss) => void;
}

/** `withdraw` gives the lease up, and resolves when the ODB knows, or after 2 s. */
export interface LeaseClaim {
  withdraw(): Promise<void>;
}

/** A last word that the ODB does not take in this time is not waited for: the lease expires. */
const goodbyeMs = 2_000;
/** The list of servers changes slowly, and is longer than that of leases. */
const serversKeptMs = 2_000;
/** Node's timers end at 2^31 - 1 ms. */
const sleepMaxMs = 60_000;

/**
 * Campaigns for leases and keeps those that this server got: one renewal for all of them, and an
 * end in time when the ODB does not confirm it. All decisions are those of `LeaseCampaigns`.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #campaigns: LeaseCampaigns;
  readonly #listeners = new Map<string, LeaseCampaign>();
  readonly #pending = new Set<LeaseCommand>();
  #servers: { readonly at: number; readonly up: readonly LeaseHolder[] } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #state: "new" | "started" | "stopped" = "new";

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#campaigns = new LeaseCampaigns({
      holder: options.holder,
      timing: options.timing,
      random: Math.random,
      onHeld: (lease) => this.#held(lease),
      onLost: (lease, reason) => this.#lost(lease, reason),
    });
  }

  /** Wants a lease from now on, or from `start` on. One campaign for a name at a time. */
  campaign(name: string, listener: LeaseCampaign): LeaseClaim {
    this.#listeners.set(name, listener);
    this.#campaigns.add(name);
    this.#pump();
    return { withdraw: () => this.#withdraw([name]) };
  }

  /** The right to do what the lease is for, or undefined when it is not certain at this moment. */
  proof(name: string): LeaseProof | undefined {
    const lease = this.#campaigns.termAt(name, performance.now());
    return lease === undefined ? undefined : { ...lease, holder: this.#options.holder };
  }

  /** What this server holds at this moment, by name. */
  held(): readonly HeldLease[] {
    return this.#campaigns.heldAt(performance.now());
  }

  start(): void {
    if (this.#state !== "new") return;
    this.#state = "started";
    this.#pump();
  }

  /** Gives everything up, so that other servers can have it at once; waits at most 2 s for that. */
  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    await this.#withdraw([...this.#listeners.keys()]);
    this.#state = "stopped";
    clearTimeout(this.#timer);
  }

  async #withdraw(names: readonly string[]): Promise<void> {
    const now = performance.now();
    for (const name of names) this.#campaigns.remove(name, now);
    this.#pump();
    const concerns = (command: LeaseCommand) =>
      (command.do === "acquire" && names.includes(command.name)) ||
      (command.do === "release" && names.includes(command.lease.name));
    const isDone = () => ![...this.#pending].some(concerns) || undefined;
    await poll(isDone, { timeoutMs: goodbyeMs, intervalMs: 10 });
  }

  /** Asks what is to be asked now, and sets the clock for the next time. */
  #pump(): void {
    if (this.#state !== "started") return;
    clearTimeout(this.#timer);
    for (;;) {
      const command = this.#campaigns.next(performance.now());
      if (command === undefined) break;
      void this.#ask(command);
    }
    const ms = this.#campaigns.wakeAt() - performance.now();
    // A timer may come a fraction of a millisecond early.
    this.#timer = setTimeout(() => this.#pump(), Math.min(Math.max(1, Math.ceil(ms)), sleepMaxMs));
  }

  async #ask(command: LeaseCommand): Promise<void> {
    const sentAt = performance.now();
    this.#pending.add(command);
    try {
      const answer = await this.#options.link.use((store) => this.#carryOut(store, command));
      answer({ sentAt, now: performance.now() });
    } catch (error) {
      // Losing the ODB is logged by the link.
      if (!isPlatformError(error, "ODB_UNREACHABLE")) {
        this.#options.logger.error("Asking for leases failed", { what: command.do, error });
      }
      this.#campaigns.failed(command, performance.now());
    }
    this.#pending.delete(command);
    this.#pump();
  }

  /** Asks; returns what hands the answer over, so that its time is that of its arrival here. */
  async #carryOut(
    store: LeaseOdb,
    command: LeaseCommand,
  ): Promise<(times: { readonly sentAt: number; readonly now: number }) => void> {
    const campaigns = this.#campaigns;
    const { holder, timing: { ttlMs } } = this.#options;
    switch (command.do) {
      case "look": {
        const view = await this.#look(store);
        return ({ now }) => campaigns.looked(view, now);
      }
      case "acquire": {
        const lease = await store.acquireLease({ name: command.name, holder, ttlMs });
        return (times) => campaigns.acquired(command.name, lease?.epoch, times);
      }
      case "renew": {
        const names = await store.renewLeases(command.leases, { holder, ttlMs });
        return (times) => campaigns.renewed(command.leases, names, times);
      }
      case "release":
        await store.releaseLease({ ...command.lease, holder }, command.end);
        return () => campaigns.released(command.lease);
    }
  }

  async #look(store: LeaseOdb): Promise<LeaseView> {
    const now = performance.now();
    if (this.#servers === undefined || now - this.#servers.at > serversKeptMs) {
      const up = (await store.listServers()).filter(({ state }) => state === "up")
        .map(({ name: server, incarnation }) => ({ server, incarnation }));
      this.#servers = { at: now, up };
    }
    return { rows: await store.listLeases(), servers: this.#servers.up };
  }

  #held(lease: HeldLease): void {
    const { holder, logger } = this.#options;
    logger.info("Lease is held", { lease: lease.name, epoch: lease.epoch });
    this.#listeners.get(lease.name)?.onHeld({ ...lease, holder });
  }

  #lost({ name: lease, epoch }: HeldLease, reason: LeaseLoss): void {
    const { logger } = this.#options;
    const isOurs = reason === "withdrawn" || reason === "rebalanced";
    if (isOurs) logger.info("Lease was given up", { lease, epoch, reason });
    else logger.warn("Lease was lost", { lease, epoch, reason });
    this.#listeners.get(lease)?.onLost(reason);
  }
}
