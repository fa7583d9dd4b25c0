import { Cron, CronPattern } from "croner";
import type { Zone, ZoneSpan } from "./zone.ts";

/** The times of a cron expression; it has been validated. */
export interface CronTimes {
  /** The first one later than this, in milliseconds; null when none is before the year 10000. */
  nextAfter(ms: number): number | null;
}

const options = { mode: "5-or-6-parts", utcOffset: 0, paused: true } as const;
const dayMs = 86_400_000;

/** What an expression says about clocks, in whatever zone. */
interface Expression {
  readonly cron: Cron;
  /** Whether it names hours, and so times of day; `* /5` or `30` of every hour does not. */
  readonly namesHours: boolean;
}

const expressions = new Map<string, Expression>();
const expressionsMax = 10_000;

/**
 * The times at which clocks of a zone show what the expression says. Where clocks are changed:
 *
 * - An expression that names hours means times of day. One that does not exist that day runs once,
 *   right after the gap; one that comes twice runs when it comes first.
 * - One for every hour (`*`) goes on as clocks do: it runs through an hour that comes twice, twice.
 */
export function createCronTimes(expression: string, zone: Zone): CronTimes {
  const { cron, namesHours } = readExpression(expression);
  const firstWall = (span: ZoneSpan) => {
    if (!namesHours || span.fromMs === -Infinity) return span.fromMs + span.offsetMs;
    // On the clock as it was before the change: after the gap that is earlier, and so finds what
    // was left out; when clocks are set back it is later, and so finds nothing twice.
    return span.fromMs + zone.spanAt(span.fromMs - 1).offsetMs;
  };
  return {
    nextAfter(ms) {
      let span = zone.spanAt(ms);
      let wallMs = Math.max(ms + 1 + span.offsetMs, firstWall(span));
      for (;;) {
        const match = nextMatch(cron, wallMs);
        if (match === null) return null;
        const instant = Math.max(match - span.offsetMs, span.fromMs);
        if (instant < span.untilMs) return instant;
        // No clock is off by more than a day, so there is nothing to find before that.
        span = zone.spanAt(Math.max(span.untilMs, match - 2 * dayMs));
        wallMs = firstWall(span);
      }
    },
  };
}

/** The first time on the wall that is not before this one. */
function nextMatch(cron: Cron, wallMs: number): number | null {
  const second = Math.ceil(wallMs / 1_000) * 1_000;
  return cron.nextRun(new Date(second - 1))?.getTime() ?? null;
}

function readExpression(text: string): Expression {
  const known = expressions.get(text);
  if (known) return known;
  const pattern = new CronPattern(text, undefined, { mode: options.mode });
  const expression = {
    cron: new Cron(text, options),
    namesHours: !pattern.hour.every((isIn) => isIn === 1),
  };
  if (expressions.size >= expressionsMax) expressions.clear();
  expressions.set(text, expression);
  return expression;
}

const nicknames = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

const fields = [
  ["second", "0-59"],
  ["minute", "0-59"],
  ["hour", "0-23"],
  ["day of month", "1-31, L for the last, LW, or such as 15W for the weekday nearest to the 15th"],
  ["month", "1-12 or JAN-DEC"],
  ["day of week", "0-7 or SUN-SAT (0 and 7 are Sunday), such as FRI#2 or FRI#L"],
] as const;

/** What is wrong with an expression and how to fix it, or undefined. */
export function cronProblem(text: string): string | undefined {
  const words = text.trim().split(/\s+/);
  if (text.startsWith("@")) {
    if (nicknames.includes(text.toLowerCase())) return undefined;
    return `There is no "${text}"; write one of ${nicknames.join(", ")}, or 5 or 6 fields`;
  }
  if (words.length !== 5 && words.length !== 6) {
    const count = text.trim() === "" ? 0 : words.length;
    return `It has ${count} field${count === 1 ? "" : "s"}; write 5 (minute, hour, day of month, ` +
      "month, day of week), or 6 with seconds first";
  }
  if (parses(text)) return undefined;
  const offset = 6 - words.length;
  const wrong = words.findIndex((word, index) =>
    !parses(words.map((_, other) => other === index ? word : "*").join(" "))
  );
  const [name, allowed] = fields[wrong + offset] ?? [];
  if (wrong >= 0) {
    return `Its ${name} is "${words[wrong]}"; write ${allowed}, lists, ranges, */steps`;
  }
  return "It cannot be read; write 5 fields, or 6 with seconds first";
}

function parses(text: string): boolean {
  try {
    return new CronPattern(text, undefined, { mode: options.mode }).pattern !== "";
  } catch {
    return false;
  }
}
