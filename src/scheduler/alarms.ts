import type { JobPlan } from "./job-plan.ts";
import { repeatsLeft } from "./job-plan.ts";

/**
 * Why an active job without a next time has none, when its schedule does not say that it ended;
 * undefined when all is well.
 */
export function alarmOf(jobPlan: JobPlan, nowMs: number): string | undefined {
  const { spec, schedule, nextMs, plannedUntilMs } = jobPlan;
  if (nextMs !== null || spec.at !== undefined || repeatsLeft(jobPlan) === 0) return undefined;
  if (spec.end !== undefined && (Date.parse(spec.end) <= nowMs || jobPlan.plannedCount > 0)) {
    return undefined;
  }
  const time = schedule.nextOfAll(plannedUntilMs);
  const exclusion = time === null ? undefined : schedule.exclusionAt(time);
  if (exclusion) {
    return `It has no next time: its calendars, such as "${exclusion.calendar}", exclude every one`;
  }
  const times = spec.cron === undefined ? `every ${spec.every}` : `"${spec.cron}"`;
  return spec.end === undefined
    ? `It has no next time: there is no date that fits ${times}`
    : `It has no next time: there is none that fits ${times} before its end`;
}
