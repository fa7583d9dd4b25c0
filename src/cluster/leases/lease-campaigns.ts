import { backoffMs } from "../../lib/backoff.ts";
import type { HeldLease, LeaseHolder, LeaseRow } from "../../odb/lease-types.ts";
import { LeaseBalance } from "./lease-balance.ts";
import { type AnswerTimes, LeaseMachine } from "./lease-machine.ts";
import type { LeaseTiming } from "./lease-timing.ts";

/**
 * Why a term ended: `withdrawn` or `rebalanced` by ourselves; `unconfirmed`: the ODB did not
 * confirm it in time; `taken`: the ODB says that it is over.
 */
export type LeaseLoss = "withdrawn" | "rebalanced" | "unconfirmed" | "taken";

/** What to ask the ODB. */
export type LeaseCommand =
  | { readonly do: "look" }
  | { readonly do: "acquire"; readonly name: string }
  | { readonly do: "renew"; readonly leases: readonly HeldLease[] }
  | {
    readonly do: "release";
    readonly lease: HeldLease;
    readonly end: "released" | "rebalanced";
  };

/** The answer to a look. */
export interface LeaseView {
  readonly rows: readonly Pick<
    LeaseRow,
    "name" | "state" | "epoch" | "server" | "incarnation" | "expiresInMs"
  >[];
  /** Every server that is up, by its name and the present life of it. */
  readonly servers: readonly LeaseHolder[];
}

export interface LeaseCampaignsOptions {
  readonly holder: LeaseHolder;
  readonly timing: LeaseTiming;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onHeld: (lease: HeldLease) => void;
  /** Called once for each `onHeld`. */
  readonly onLost: (lease: HeldLease, reason: LeaseLoss) => void;
}

/**
 * All leases that one server wants: what to ask the ODB and when, which of them it holds, and
 * which it leaves or hands to servers that are preferred for them. Pure: time comes in as
 * milliseconds of a monotonic clock, questions go out as commands, answers come back by method.
 */
export class LeaseCampaigns {
  readonly #options: LeaseCampaignsOptions;
  readonly #machines: LeaseMachine[] = [];
  readonly #balance: LeaseBalance;
  /** Given up for another server's sake; the release says so. */
  readonly #rebalancing = new Set<string>();
  #lookAt = -Infinity;
  #lookFailures = 0;
  #renewFailures = 0;

  constructor(options: LeaseCampaignsOptions) {
    this.#options = options;
    this.#balance = new LeaseBalance(options.holder.server, options.timing);
  }

  /** Begins to want a lease. */
  add(name: string): void {
    const known = this.#find(name);
    if (known === undefined) {
      this.#machines.push(new LeaseMachine(name, this.#options.timing));
    } else {
      known.want();
    }
    this.#lookAt = -Infinity;
  }

  /** Wants a lease no more, and gives it up; `next` says how. */
  remove(name: string, now: number): void {
    const machine = this.#find(name);
    if (machine === undefined) return;
    const term = machine.isHeldAt(now) ? machine.term : undefined;
    this.#expire(now);
    machine.withdraw();
    if (term !== undefined) this.#options.onLost(term, "withdrawn");
  }

  /** The lease's term, if it is held for certain at this moment. */
  termAt(name: string, now: number): HeldLease | undefined {
    const machine = this.#find(name);
    return machine?.isHeldAt(now) ? machine.term : undefined;
  }

  /** What is held for certain at this moment, by name. */
  heldAt(now: number): readonly HeldLease[] {
    return this.#machines.filter((machine) => machine.isHeldAt(now)).map(({ name }) => name).sort()
      .map((name) => this.termAt(name, now)!);
  }

  /** What to ask now, one thing at a time until undefined; what it returns counts as asked. */
  next(now: number): LeaseCommand | undefined {
    this.#expire(now);
    const renewal = this.#nextRenewal(now);
    if (renewal !== undefined) return renewal;
    for (const machine of this.#machines) {
      const step = this.#nextStep(machine, now);
      if (step !== undefined) return step;
    }
    if (now < this.#lookAt || !this.#wantsAny()) return undefined;
    this.#lookAt = now + this.#options.timing.patienceMs;
    return { do: "look" };
  }

  /** When to ask `next` again, unless an answer comes before. */
  wakeAt(): number {
    let at = this.#wantsAny() ? this.#lookAt : Infinity;
    for (const machine of this.#machines) {
      at = Math.min(at, machine.stepAt, machine.renewAt, machine.endAt);
    }
    return at;
  }

  /** The answer to "look". */
  looked(view: LeaseView, now: number): void {
    this.#expire(now);
    this.#lookFailures = 0;
    this.#balance.note(view.servers, now);
    for (const machine of this.#machines) this.#show(machine, view, now);
    this.#rebalance(now);
    this.#lookAgain(view, now);
  }

  /** The answer to "acquire": the epoch, or undefined when another server holds it. */
  acquired(name: string, epoch: number | undefined, times: AnswerTimes): void {
    const machine = this.#find(name);
    if (machine === undefined) return;
    this.#expire(times.now);
    const before = machine.term;
    if (epoch === undefined) machine.refused();
    else if (machine.granted(epoch, times)) {
      if (before !== undefined) this.#options.onLost(before, "taken");
      this.#options.onHeld({ name, epoch });
    }
  }

  /** The answer to "renew": the names of those that are still held. */
  renewed(asked: readonly HeldLease[], names: readonly string[], times: AnswerTimes): void {
    this.#expire(times.now);
    this.#renewFailures = 0;
    for (const lease of asked) {
      const machine = this.#find(lease.name)!;
      if (names.includes(lease.name)) machine.renewed(lease.epoch, times);
      else if (machine.denied(lease.epoch)) {
        this.#options.onLost(lease, "taken");
        this.#lookAt = times.now;
      }
    }
  }

  /** The answer to "release", true or false. */
  released({ name, epoch }: HeldLease): void {
    this.#find(name)?.released(epoch);
  }

  /** A command had no answer but an error. */
  failed(command: LeaseCommand, now: number): void {
    this.#expire(now);
    const { lookMs, idleLookMs } = this.#options.timing;
    const { random } = this.#options;
    switch (command.do) {
      case "look":
        this.#lookAt = now +
          backoffMs(++this.#lookFailures, { firstMs: lookMs, maxMs: idleLookMs, random });
        return;
      case "acquire":
        return this.#find(command.name)?.failed("acquire");
      case "release":
        return this.#find(command.lease.name)?.failed("release");
      case "renew": {
        const retry = { firstMs: 100, maxMs: lookMs, random };
        const at = now + backoffMs(++this.#renewFailures, retry);
        for (const { name } of command.leases) this.#find(name)?.renewalFailed(at);
      }
    }
  }

  #find(name: string): LeaseMachine | undefined {
    for (const machine of this.#machines) if (machine.name === name) return machine;
    return undefined;
  }

  #wantsAny(): boolean {
    for (const machine of this.#machines) if (machine.isWanted) return true;
    return false;
  }

  #expire(now: number): void {
    for (const machine of this.#machines) {
      const term = now < machine.endAt ? undefined : machine.term;
      if (term === undefined) continue;
      machine.expire(now);
      this.#options.onLost(term, "unconfirmed");
      this.#lookAt = Math.min(this.#lookAt, now + this.#options.timing.lookMs);
    }
  }

  /** One statement for all of them, as soon as one is to be renewed. */
  #nextRenewal(now: number): LeaseCommand | undefined {
    if (!this.#machines.some((machine) => machine.renewAt <= now)) return undefined;
    const leases: HeldLease[] = [];
    for (const machine of this.#machines) {
      const { term } = machine;
      if (term === undefined) continue;
      leases.push(term);
      machine.renewalSent(now);
    }
    return { do: "renew", leases };
  }

  #nextStep(machine: LeaseMachine, now: number): LeaseCommand | undefined {
    const { name, returnEpoch: epoch } = machine;
    switch (machine.next(now)) {
      case undefined:
        return undefined;
      case "acquire":
        return { do: "acquire", name };
      case "release": {
        const end = this.#rebalancing.delete(name) ? "rebalanced" : "released";
        return { do: "release", lease: { name, epoch }, end };
      }
    }
  }

  #show(machine: LeaseMachine, { rows }: LeaseView, now: number): void {
    const { holder } = this.#options;
    const row = rows.find(({ name }) => name === machine.name);
    const isTaken = row?.state === "held";
    const isPreferred = !isTaken && this.#balance.isOurs(machine.name, row?.server);
    if (row === undefined) return machine.see(undefined, { now, isPreferred });
    const isOurs = row.server === holder.server && row.incarnation === holder.incarnation;
    machine.see({ isTaken, isOurs, epoch: row.epoch }, { now, isPreferred });
  }

  #rebalance(now: number): void {
    const held = this.#machines.filter((one) => one.isHeldAt(now)).map(({ name }) => name);
    const name = this.#balance.handOver(held, now);
    const machine = name === undefined ? undefined : this.#find(name);
    const term = machine?.term;
    if (machine === undefined || term === undefined) return;
    this.#rebalancing.add(machine.name);
    machine.giveUp();
    this.#options.onLost(term, "rebalanced");
  }

  /** At its usual pace, or as soon as a lease that it lacks is over unless it is renewed. */
  #lookAgain({ rows }: LeaseView, now: number): void {
    const { timing: { lookMs, idleLookMs }, random } = this.#options;
    const lacking = this.#machines.filter((one) => one.isWanted && one.term === undefined);
    let ms = (lacking.length > 0 ? lookMs : idleLookMs) * (0.85 + 0.3 * random());
    for (const { name } of lacking) {
      const row = rows.find((one) => one.name === name);
      if (row?.state === "held") ms = Math.min(ms, row.expiresInMs + 1);
    }
    this.#lookAt = now + ms;
  }
}
