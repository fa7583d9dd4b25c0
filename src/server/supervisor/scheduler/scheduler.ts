import type { LeaseKeeper } from "../../../cluster/leases/lease-keeper.ts";
import type { Alarm } from "../../../scheduler/plan.ts";
import { Planner, type PlannerOptions } from "./planner.ts";
import { JobRunner, type JobRunnerOptions } from "./job-runner.ts";

/** The lease whose holder plans for all. */
export const schedulerLease = "scheduler";

export interface SchedulerOptions
  extends
    Omit<JobRunnerOptions, "claimMs" | "pollMs">,
    Pick<PlannerOptions, "deactivate" | "announce"> {
  readonly leases: Pick<LeaseKeeper, "campaign" | "proof">;
}

/** A server's part in the cluster's scheduler: it runs jobs, and plans them while it leads. */
export class Scheduler {
  readonly #leases: SchedulerOptions["leases"];
  readonly #planner: Planner;
  readonly #runner: JobRunner;
  readonly #announce: () => void;
  #campaign: { withdraw(): Promise<void> } | undefined;

  constructor({ leases, deactivate, announce, ...running }: SchedulerOptions) {
    const { link, logger } = running;
    this.#leases = leases;
    this.#announce = announce;
    this.#runner = new JobRunner(running);
    this.#planner = new Planner({
      link,
      logger,
      deactivate,
      proof: () => leases.proof(schedulerLease),
      announce: () => this.announce(),
    });
  }

  /** Jobs that are enabled and will never run; known to the server that leads. */
  get alarms(): readonly Alarm[] {
    return this.#planner.alarms;
  }

  start(): void {
    this.#runner.start();
    this.#campaign = this.#leases.campaign(schedulerLease, {
      onHeld: () => this.#planner.lead(),
      onLost: () => void this.#planner.rest(),
    });
  }

  /** There may be runs that are due. */
  wake(): void {
    this.#runner.wake();
  }

  /** Something is due now: has every server look. */
  announce(): void {
    this.#runner.wake();
    this.#announce();
  }

  /** The cluster's jobs have changed. */
  replan(): void {
    this.#planner.wake();
  }

  /** Leaves the planning to another server at once, and waits for its runs for `drainMs`. */
  async stop(drainMs: number): Promise<void> {
    const resigned = this.#planner.rest().then(() => this.#campaign?.withdraw());
    await Promise.all([resigned, this.#runner.stop(drainMs)]);
  }
}
