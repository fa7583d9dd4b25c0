import type { Scenario } from "../stage.ts";
import { clockJump } from "./clock.ts";
import { leaderCutOff } from "./cut-off.ts";
import { deployUnderLoad } from "./deploy.ts";
import { leaderChanges } from "./leader-changes.ts";
import { leaderKilled, leaderPaused } from "./leader.ts";
import { rollingRestart } from "./rolling.ts";
import { serverKilled, serverStopped, workerKilled } from "./servers.ts";
import { kvdbDown, odbDown, odbFrozen, storesDown } from "./stores.ts";

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
  clockJump,
  rollingRestart,
  deployUnderLoad,
  leaderChanges,
];
