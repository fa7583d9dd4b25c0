import type { LeaseTiming } from "../../src/cluster/leases/lease-timing.ts";
import type { Breakage } from "./breakages.ts";
import type { Checker } from "./checker.ts";
import type { ModelOdb } from "./model-odb.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** What everything in one schedule shares. */
export interface World {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly network: Network;
  readonly odb: ModelOdb;
  readonly checker: Checker;
  readonly timing: LeaseTiming;
  /** Whether the scheduler's own `plan()` plans, or a much faster model of it. */
  readonly isPlannerReal: boolean;
  readonly breakage: Breakage | undefined;
  /** Undefined when nobody reads along: a trace costs more than what it tells of. */
  readonly trace: ((who: string, what: string) => void) | undefined;
}
