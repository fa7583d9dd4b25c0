import type { Schedule } from "./schedule.ts";

/** A span of time whose beginning is exclusive and whose end is inclusive, in milliseconds. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The first times of a schedule within a span, at most so many. */
export function firstTimes(schedule: Schedule, span: TimeSpan, countMax: number): number[] {
  const times: number[] = [];
  let time = countMax > 0 ? schedule.next(span.fromMs) : null;
  while (time !== null && time <= span.untilMs && times.length < countMax) {
    times.push(time);
    time = schedule.next(time);
  }
  return times;
}

/** The last times within a span, in order, without going through all that are before them. */
export function lastTimes(schedule: Schedule, span: TimeSpan, countMax: number): number[] {
  // No schedule has more than a hundred times in a second, most have far fewer.
  for (let lengthMs = countMax * 10;; lengthMs *= 2) {
    const fromMs = Math.max(span.fromMs, span.untilMs - lengthMs);
    const times = firstTimes(schedule, { ...span, fromMs }, Infinity);
    if (times.length >= countMax || fromMs === span.fromMs) return times.slice(-countMax);
  }
}
