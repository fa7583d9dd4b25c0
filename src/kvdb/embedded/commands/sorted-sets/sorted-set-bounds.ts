import { clampRange, integerArg } from "../../arguments.ts";
import { CommandError } from "../../command-error.ts";
import { parseDouble } from "../../data/numbers.ts";
import type { Scored, SortedSet } from "../../data/sorted-set.ts";

/** Ranks from `from` up to, not including, `to`. */
export interface RankRange {
  readonly from: number;
  readonly to: number;
}

export type RangeBy = "rank" | "score" | "lex";

/** Finds the ranks in a sorted set; made before the key is looked at, since it may throw. */
export type RangeFinder = (members: SortedSet) => RankRange;

/** Reads the two bounds of a range, lower one first. Throws what Redis answers for bad ones. */
export function parseBounds(by: RangeBy, low: string, high: string): RangeFinder {
  if (by === "rank") {
    const start = integerArg(low);
    const stop = integerArg(high);
    return (members) => clampRange(start, stop, members.size);
  }
  const parse = by === "score" ? parseScoreBound : parseLexBound;
  const isBelow = parse(low, "low");
  const isWithin = parse(high, "high");
  return (members) => {
    const from = members.countWhile(isBelow);
    return { from, to: Math.max(from, members.countWhile(isWithin)) };
  };
}

type Side = "low" | "high";
type Test = (entry: Scored) => boolean;

/** For the low side: true for entries before the range; for the high one: for those not after. */
function parseScoreBound(text: string, side: Side): Test {
  const exclusive = text.startsWith("(");
  const bound = parseDouble(exclusive ? text.slice(1) : text);
  if (bound === undefined) throw new CommandError("ERR min or max is not a float");
  const orEqual = (side === "low") === exclusive;
  return orEqual ? ({ score }) => score <= bound : ({ score }) => score < bound;
}

function parseLexBound(text: string, side: Side): Test {
  if (text === "-" || text === "+") return () => text === "+";
  const exclusive = text.startsWith("(");
  if (!exclusive && !text.startsWith("[")) {
    throw new CommandError("ERR min or max not valid string range item");
  }
  const bound = text.slice(1);
  const orEqual = (side === "low") === exclusive;
  return orEqual ? ({ member }) => member <= bound : ({ member }) => member < bound;
}
