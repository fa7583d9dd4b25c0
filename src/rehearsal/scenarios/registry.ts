import type { Scenario } from "../stage.ts";
import { balancerChanges } from "./balancer-changes.ts";
import { clockJump } from "./clock.ts";
import { coldStart } from "./cold-start.ts";
import { leaderCutOff } from "./cut-off.ts";
import { deployUnderLoad } from "./deploy.ts";
import { diskFull } from "./disk-full.ts";
import { leaderChanges } from "./leader-changes.ts";
import { leaderKilled, leaderPaused } from "./leader.ts";
import { overload } from "./overload.ts";
import { rollingRestart } from "./rolling.ts";
import { serverKilled, serverStopped, workerKilled } from "./servers.ts";
import { kvdbDown, odbDown, odbFrozen, storesDown } from "./stores.ts";
import { upgrade } from "./upgrade.ts";

/** Every scenario, in the order in which `all` rehearses them. */
export const scenarios: readonly Scenario[] = [
  leaderKilled,
  leaderPaused,
  leaderCutOff,
  serverKilled,
  serverStopped,
  workerKilled,
  odbDown,
  odbFrozen,
  kvdbDown,
  storesDown,
  coldStart,
  diskFull,
  clockJump,
  rollingRestart,
  deployUnderLoad,
  balancerChanges,
  overload,
  upgrade,
  leaderChanges,
];
