import { zoneOf } from "./schedule/zone.ts";

/** For people: `2026-12-24 18:00:00 Europe/Vienna`, without milliseconds when there are none. */
export function renderInstant(time: Date, timeZone: string): string {
  const { offsetMs } = zoneOf(timeZone).spanAt(time.getTime());
  const wall = new Date(time.getTime() + offsetMs).toISOString();
  return `${wall.replace("T", " ").replace(/(\.000)?Z$/, "")} ${timeZone}`;
}
