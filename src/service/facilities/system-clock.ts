import { delay } from "../../lib/wait.ts";
import type { Clock } from "../clock.ts";

/** The clocks of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  delay: (ms, signal) => delay(ms, signal === undefined ? {} : { signal }),
};
