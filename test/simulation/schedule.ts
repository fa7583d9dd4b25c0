import {
  type LeaseTiming,
  patientLeaseTiming,
  quickLeaseTiming,
} from "../../src/cluster/leases/lease-timing.ts";
import type { Breakage } from "./breakages.ts";
import { Checker, Violation } from "./checker.ts";
import { type FaultName, faultNames, scheduleFaults } from "./faults.ts";
import { ModelOdb } from "./model-odb.ts";
import { leaseNames, ModelServer } from "./model-server.ts";
import { Network } from "./network.ts";
import { Random } from "./random.ts";
import { Timeline } from "./timeline.ts";
import type { World } from "./world.ts";

export interface ScheduleOptions {
  readonly breakage?: Breakage | undefined;
  /** Default: all. */
  readonly faults?: readonly FaultName[];
  /** Default: 3 to 10, at random. */
  readonly faultCount?: number;
  /** Is called with what happens, line by line. */
  readonly onLine?: (line: string) => void;
}

export interface ScheduleResult {
  /** Which promise was broken; undefined when all were kept. */
  readonly violation: string | undefined;
  readonly events: number;
  readonly virtualMs: number;
  /** How often each lease changed hands, and how many runs ended. */
  readonly terms: number;
  readonly runs: number;
}

/** What must be reached after the last fault, in virtual time. */
const bounds = { leadershipMs: 10_000, convergenceMs: 5_000, ledgerMs: 20_000 };

/** Hands leases over as often as it can. */
const restless = { rebalanceMs: 500, steadyMs: 1_500, declinedMs: 2_000 };

const timings: readonly LeaseTiming[] = [patientLeaseTiming, quickLeaseTiming].flatMap(
  (timing) => [timing, { ...timing, ...restless }],
);

/** One schedule in so many plans with the scheduler's own `plan()`. */
const realPlannerEvery = 20;

/** Lets one random schedule of one cluster happen; the same seed gives the same one. */
export function runSchedule(seed: number, options: ScheduleOptions = {}): ScheduleResult {
  const schedule = new Schedule(seed, options);
  let violation: string | undefined;
  try {
    schedule.run();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error.message;
    options.onLine?.(`${schedule.time()}  VIOLATION  ${violation}`);
  }
  return { violation, ...schedule.counts() };
}

class Schedule {
  readonly #world: World;
  readonly #servers: readonly ModelServer[];
  readonly #faultsEndAt: number;
  readonly #ledAt: number[] = leaseNames.map(() => 0);
  /** The database's time when the faults end: what was due before must be decided in the end. */
  #settledUntil = 0;
  #clockStep = 0;
  #events = 0;

  constructor(seed: number, options: ScheduleOptions) {
    const { breakage, faults = faultNames, onLine } = options;
    const timeline = new Timeline();
    const random = new Random(seed);
    const checker = new Checker();
    this.#faultsEndAt = random.between(4_000, 16_000);
    // Database time begins somewhere between two times of any job.
    const begin = random.between(0, 5_000);
    const clock = () => begin + timeline.now + this.#clockStep;
    this.#world = {
      timeline,
      random,
      checker,
      network: new Network({ timeline, random, calmAt: this.#faultsEndAt }),
      odb: new ModelOdb({ clock, checker, breakage }),
      timing: timings[random.below(timings.length)]!,
      isPlannerReal: seed % realPlannerEvery === 0,
      breakage,
      trace: onLine && ((who, what) => onLine(`${this.time()}  ${who}  ${what}`)),
    };
    const count = 2 + random.below(3);
    const names = Array.from({ length: count }, (_, index) => `server-${index + 1}`);
    this.#servers = names.map((name) => new ModelServer(name, this.#world));
    for (const server of this.#servers) timeline.at(random.next() * 300, () => server.start());
    scheduleFaults(this.#world, {
      servers: this.#servers,
      kinds: faults,
      count: options.faultCount ?? 3 + random.below(8),
      endAt: this.#faultsEndAt,
      stepClock: (ms) => this.#clockStep += ms,
    });
    timeline.at(this.#faultsEndAt, () => this.#settledUntil = clock());
  }

  run(): void {
    const { timeline } = this.#world;
    const overAt = this.#faultsEndAt + this.#world.random.between(0, 3_000);
    while (timeline.step()) {
      this.#events += 1;
      this.#checkBelief();
      if (timeline.now > this.#faultsEndAt && this.#isOver(overAt)) return;
    }
  }

  time(): string {
    return this.#world.timeline.now.toFixed(1).padStart(8);
  }

  counts(): Omit<ScheduleResult, "violation"> {
    const { timeline, checker, odb } = this.#world;
    return {
      events: this.#events,
      virtualMs: timeline.now,
      terms: checker.terms,
      runs: odb.ledger.ended,
    };
  }

  /** No two servers believe to hold a lease at this instant, whether or not they run right now. */
  #checkBelief(): void {
    for (let index = 0; index < leaseNames.length; index++) {
      const name = leaseNames[index]!;
      let believer: ModelServer | undefined;
      for (const server of this.#servers) {
        if (server.campaigns?.termAt(name, server.clock()) === undefined) continue;
        this.#ledAt[index] = this.#world.timeline.now;
        if (believer !== undefined) this.#world.checker.believed(name, believer.name, server.name);
        believer = server;
      }
    }
  }

  /** Whether everything is reached; throws when something is not although its time has come. */
  #isOver(notBefore: number): boolean {
    const { timeline, odb, checker } = this.#world;
    const since = timeline.now - this.#faultsEndAt;
    for (const [index, at] of this.#ledAt.entries()) {
      const forMs = timeline.now - Math.max(at, this.#faultsEndAt);
      checker.require(
        forMs < bounds.leadershipMs,
        () => `nobody has held ${leaseNames[index]} for ${forMs} ms although somebody could`,
      );
    }
    const isLed = this.#ledAt.every((at) => at === timeline.now);
    const isEqual = this.#servers.every(({ runningRevision }) => runningRevision === odb.revision);
    checker.require(
      isEqual || since < bounds.convergenceMs,
      () => `not every server runs revision ${odb.revision}`,
    );
    const isPlanned = odb.ledger.follows(odb.revision);
    const isSettled = odb.ledger.isSettledUntil(this.#settledUntil);
    checker.require(
      (isPlanned && isSettled) || since < bounds.ledgerMs,
      () => isPlanned ? "times are still to be decided" : "an old schedule is still planned",
    );
    if (timeline.now < notBefore || !isLed || !isEqual || !isPlanned || !isSettled) return false;
    odb.ledger.checkComplete(this.#settledUntil);
    return true;
  }
}
