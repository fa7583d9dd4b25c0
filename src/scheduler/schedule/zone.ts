/** A stretch of time during which the clocks of a zone keep the same distance from UTC. */
export interface ZoneSpan {
  /** Inclusive; -Infinity for the first one. */
  readonly fromMs: number;
  /** Exclusive; Infinity for the last one. */
  readonly untilMs: number;
  /** What is added to UTC for the time that clocks show. */
  readonly offsetMs: number;
}

/**
 * A time zone. Its wall clock is counted like UTC: 02:30 on a wall is what `Date.UTC` makes of
 * 02:30.
 */
export interface Zone {
  spanAt(ms: number): ZoneSpan;
}

const zones = new Map<string, Zone>();
const spansMax = 256;

/** Names that were found: looking one up takes longer than reading the rest of a job. */
const found = new Set<string>(["UTC"]);

/** Whether there is such a zone: an IANA name, `UTC`, or an offset such as `+02:00`. */
export function isZone(name: string): boolean {
  if (found.has(name)) return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
  } catch {
    return false;
  }
  found.add(name);
  return true;
}

/** A zone that exists; throws RangeError otherwise. */
export function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known) return known;
  const zone = name === "UTC" ? utc : createZone(name);
  zones.set(name, zone);
  return zone;
}

const always: ZoneSpan = { fromMs: -Infinity, untilMs: Infinity, offsetMs: 0 };
const utc: Zone = { spanAt: () => always };

function createZone(name: string): Zone {
  let spans: ZoneSpan[] = [findSpan(name, 0)];
  return {
    spanAt(ms) {
      const known = spans.find(({ fromMs, untilMs }) => fromMs <= ms && ms < untilMs);
      if (known) return known;
      const span = findSpan(name, ms);
      // Newest first: what is asked for next is most likely where this was.
      spans = [span, ...spans.slice(0, spansMax)];
      return span;
    },
  };
}

function findSpan(name: string, ms: number): ZoneSpan {
  const at = (time: number) =>
    Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(name);
  // The one before this time itself is strictly before it.
  const from = at(Math.floor(ms) + 1).getTimeZoneTransition("previous");
  const until = at(Math.floor(ms)).getTimeZoneTransition("next");
  return {
    fromMs: from?.epochMilliseconds ?? -Infinity,
    untilMs: until?.epochMilliseconds ?? Infinity,
    offsetMs: Math.round(at(ms).offsetNanoseconds / 1e6),
  };
}

/**
 * The first instant, not before `fromMs`, at which the clocks of a zone show `wallMs` or later. The
 * clocks must not have come there at `fromMs`, or it is `fromMs` or the beginning of its span.
 */
export function instantOf(zone: Zone, wallMs: number, fromMs: number): number {
  let span = zone.spanAt(fromMs);
  for (;;) {
    const instant = Math.max(wallMs - span.offsetMs, span.fromMs);
    if (instant < span.untilMs) return Math.max(instant, fromMs);
    span = zone.spanAt(span.untilMs);
  }
}
