import { countArg, integerArg, OptionReader } from "../arguments.ts";
import type { Call } from "../command.ts";
import { CommandError, syntaxError } from "../command-error.ts";
import { array, integer } from "../replies.ts";

interface PositionOptions {
  /** Which match is the first to be told, from 1; negative from the end. */
  readonly rank: number;
  /** How many to tell; undefined for one, and that not in a list. */
  readonly count: number | undefined;
  /** How many items to look at; 0 for all. */
  readonly maxLength: number;
}

/** LPOS: where an item stands in a list. */
export function lpos({ args, db, reply }: Call): string {
  const [, key = "", item = ""] = args;
  const { rank, count, maxLength } = parseOptions(args);
  const list = db.find(key, "list");
  const length = list?.length ?? 0;
  const look = maxLength === 0 ? length : Math.min(maxLength, length);
  const wanted = count === undefined ? 1 : count === 0 ? length : count;
  const found: number[] = [];
  let skip = Math.abs(rank) - 1;
  for (let i = 0; i < look && found.length < wanted; i++) {
    const at = rank > 0 ? i : length - 1 - i;
    if (list!.at(at) === item && skip-- <= 0) found.push(at);
  }
  if (count !== undefined) return array(found.map(integer));
  return found[0] === undefined ? reply.nil : integer(found[0]);
}

function parseOptions(args: readonly string[]): PositionOptions {
  let rank = 1;
  let count: number | undefined;
  let maxLength = 0;
  const options = new OptionReader(args, 3);
  for (let option = options.next(); option !== undefined; option = options.next()) {
    const value = options.value();
    if (option === "RANK") rank = parseRank(value);
    else if (option === "COUNT") count = countArg(value, "ERR COUNT can't be negative");
    else if (option === "MAXLEN") maxLength = countArg(value, "ERR MAXLEN can't be negative");
    else throw new CommandError(syntaxError);
  }
  return { rank, count, maxLength };
}

function parseRank(value: string): number {
  const rank = integerArg(value);
  if (rank !== 0) return rank;
  throw new CommandError(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use " +
      "negative to start from the end of the list",
  );
}
