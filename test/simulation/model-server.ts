import { DesiredStateMachine } from "../../src/cluster/desired-state-machine.ts";
import { LeaseCampaigns, type LeaseCommand } from "../../src/cluster/leases/lease-campaigns.ts";
import type { AnswerTimes } from "../../src/cluster/leases/lease-machine.ts";
import type { HeldLease, LeaseHolder, LeaseProof } from "../../src/odb/lease-types.ts";
import { ModelPlanner } from "./model-planner.ts";
import { ModelRunner } from "./model-runner.ts";
import type { Endpoint, LinkFault } from "./network.ts";
import type { World } from "./world.ts";

/** The leases that every server wants: the planner's, and one of a channel. */
export const leaseNames = ["scheduler", "channel"] as const;

const reportMs = 2_000;
const pollMs = 2_000;

/**
 * One server: the real machines, moved by messages and timers of the simulation as their shells
 * move them, and a planner and a runner that use what they decide. It can crash, be frozen, and
 * have a clock that runs fast or slow.
 */
export class ModelServer implements Endpoint {
  readonly name: string;
  readonly world: World;
  link: LinkFault = "none";
  /** `stopping`: wants no lease any more, and gives up what it has. */
  state: "down" | "up" | "paused" | "stopping" = "down";
  runningRevision = 0;
  /** Undefined while the server is down. */
  campaigns: LeaseCampaigns | undefined;
  #life = 0;
  #inbox: (() => void)[] = [];
  #desired = new DesiredStateMachine({ pollMs, random: () => 0 });
  #isFollowing = false;
  #followTimer = 0;
  #pumpAt = Infinity;
  #isLinkDown = false;
  #planner = new ModelPlanner(this);
  readonly #clockRate: number;
  readonly #clockOffset: number;

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
    this.#clockRate = world.random.between(0.97, 1.03);
    this.#clockOffset = world.random.between(0, 1e6);
  }

  /** This server's monotonic clock: never steps, but is not exactly as fast as others. */
  clock(): number {
    return this.#clockOffset + this.world.timeline.now * this.#clockRate;
  }

  get holder(): LeaseHolder {
    return { server: this.name, incarnation: String(this.#life) };
  }

  start(): void {
    const { random, timing } = this.world;
    this.#life += 1;
    this.state = "up";
    this.link = "none";
    this.#inbox = [];
    this.#pumpAt = Infinity;
    this.#isLinkDown = false;
    this.#isFollowing = false;
    this.#desired = new DesiredStateMachine({ pollMs, random: random.next });
    this.#planner = new ModelPlanner(this);
    const planner = this.#planner;
    this.campaigns = new LeaseCampaigns({
      holder: this.holder,
      timing: this.world.breakage === "no-margin" ? { ...timing, marginMs: 0 } : timing,
      random: random.next,
      onHeld: (lease) => this.#held(lease),
      onLost: (lease, reason) => {
        this.world.trace?.(this.name, `lost ${lease.name}, epoch ${lease.epoch}: ${reason}`);
        if (lease.name === "scheduler") planner.stop();
      },
    });
    for (const name of leaseNames) this.campaigns.add(name);
    this.#report();
    this.hint();
    this.pump();
    new ModelRunner(this).start();
  }

  crash(): void {
    this.state = "down";
    this.campaigns = undefined;
    this.#life += 1;
  }

  pause(): void {
    if (this.state === "up") this.state = "paused";
  }

  /** What came in the meantime happens now: timers and answers, in any order. */
  resume(): void {
    if (this.state !== "paused") return;
    this.state = "up";
    const inbox = this.#inbox;
    this.#inbox = [];
    this.world.random.shuffle(inbox);
    for (const what of inbox) this.deliver(what);
  }

  /** Gives up its leases and leaves. */
  stop(): void {
    if (this.state !== "up") return;
    this.state = "stopping";
    for (const name of leaseNames) this.campaigns?.remove(name, this.clock());
    this.#planner.stop();
    this.ask(() => this.world.odb.report(this.holder, "down"), () => {});
    this.pump();
    this.after(2_000, () => this.crash());
  }

  /** Does not want a lease for a while. */
  withdraw(name: string, ms: number): void {
    if (this.state !== "up") return;
    this.campaigns?.remove(name, this.clock());
    this.pump();
    this.after(ms, () => {
      this.campaigns?.add(name);
      this.pump();
    });
  }

  deliver(what: () => void): void {
    if (this.state === "paused") this.#inbox.push(what);
    else if (this.state !== "down") what();
  }

  /** A timer of this process. */
  after(ms: number, what: () => void): void {
    const life = this.#life;
    this.world.timeline.after(ms / this.#clockRate, () => {
      if (life === this.#life) this.deliver(what);
    });
  }

  /** One transaction; nothing comes back to a life that is over. */
  ask<T>(execute: () => T, answer: (value: T) => void, fail: () => void = () => {}): void {
    const life = this.#life;
    const isAlive = () => life === this.#life;
    this.world.network.call(this, execute, {
      answer: (value) => {
        if (!isAlive()) return;
        answer(value);
        if (this.#isLinkDown) this.#linkIsBack();
      },
      fail: () => {
        if (!isAlive()) return;
        this.#isLinkDown = true;
        fail();
      },
    });
  }

  /** The lease as work carries it, if it is held at this moment. */
  proof(name: string): LeaseProof | undefined {
    const lease = this.campaigns?.termAt(name, this.clock());
    return lease === undefined ? undefined : { ...lease, holder: this.holder };
  }

  /** Word that something changed, if it gets here. */
  hint(): void {
    this.#desired.look();
    this.#follow();
  }

  /** As the keeper's: asks what is to be asked, and sets a timer. */
  pump(): void {
    const campaigns = this.campaigns;
    if (campaigns === undefined) return;
    for (;;) {
      const command = campaigns.next(this.clock());
      if (command === undefined) break;
      this.#carryOut(campaigns, command);
    }
    const at = campaigns.wakeAt();
    if (at >= this.#pumpAt) return;
    this.#pumpAt = at;
    this.after(Math.max(0.1, at - this.clock()), () => {
      if (this.#pumpAt === at) this.#pumpAt = Infinity;
      this.pump();
    });
  }

  #carryOut(campaigns: LeaseCampaigns, command: LeaseCommand): void {
    const { odb, timing: { ttlMs } } = this.world;
    const { holder } = this;
    const sentAt = this.clock();
    const fail = () => {
      campaigns.failed(command, this.clock());
      this.pump();
    };
    const ask = <T>(execute: () => T, answer: (value: T, times: AnswerTimes) => void) =>
      this.ask(execute, (value) => {
        const now = this.clock();
        const isBroken = this.world.breakage === "late-answer-revives";
        answer(value, { sentAt: isBroken ? now : sentAt, now });
        this.pump();
      }, fail);
    switch (command.do) {
      case "look":
        return ask(() => odb.look(), (view, { now }) => campaigns.looked(view, now));
      case "acquire": {
        const { name } = command;
        return ask(
          () => odb.acquire(name, holder, ttlMs),
          (epoch, times) => campaigns.acquired(name, epoch, times),
        );
      }
      case "renew": {
        const { leases } = command;
        const proofs = leases.map((lease) => ({ ...lease, holder }));
        return ask(
          () => odb.renew(proofs, ttlMs),
          (names, times) => campaigns.renewed(leases, names, times),
        );
      }
      case "release": {
        const { lease, end } = command;
        this.world.trace?.(this.name, `gives ${lease.name} up, epoch ${lease.epoch}: ${end}`);
        const proof = { ...lease, holder };
        return ask(() => odb.release(proof), () => campaigns.released(lease));
      }
    }
  }

  #held(lease: HeldLease): void {
    this.world.trace?.(this.name, `holds ${lease.name}, epoch ${lease.epoch}`);
    if (lease.name === "scheduler") this.#planner.start(lease.epoch);
  }

  #report(): void {
    const { holder, world: { odb } } = this;
    if (this.state !== "up") return;
    this.ask(() => odb.report(holder, "up"), () => {});
    this.after(reportMs, () => this.#report());
  }

  #linkIsBack(): void {
    this.#isLinkDown = false;
    const ms = this.#desired.returned();
    if (this.world.breakage !== "hints-only") this.after(ms, () => this.hint());
  }

  /** As DesiredState: one step after the other. */
  #follow(): void {
    if (this.#isFollowing || this.state !== "up") return;
    const { odb, breakage } = this.world;
    const step = this.#desired.next();
    if (step.do === "rest") {
      const timer = ++this.#followTimer;
      if (breakage === "hints-only") return;
      return this.after(step.ms, () => {
        if (timer === this.#followTimer) this.hint();
      });
    }
    this.#isFollowing = true;
    this.#followTimer += 1;
    let isOpen = true;
    const end = (note: () => void) => {
      if (!isOpen) return;
      isOpen = false;
      this.#isFollowing = false;
      note();
      this.#follow();
    };
    const failed = () => end(() => this.#desired.failed("unreachable"));
    const heard = (revision: number) => {
      if (step.do === "ask") return this.#desired.heard(revision);
      this.#desired.read(revision);
      this.runningRevision = revision;
      this.#desired.adopted(revision);
    };
    this.ask(() => odb.revision, (revision) => end(() => heard(revision)), failed);
    if (this.link !== "none" || this.world.network.isFrozen) this.after(step.patienceMs, failed);
  }
}
