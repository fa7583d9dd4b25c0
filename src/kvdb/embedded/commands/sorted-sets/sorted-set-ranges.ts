import { integerArg, OptionReader } from "../../arguments.ts";
import { type Call, type CommandTable, reads, readsFast, writes } from "../../command.ts";
import { CommandError, syntaxError } from "../../command-error.ts";
import { type Scored, SortedSet } from "../../data/sorted-set.ts";
import { array, bulk, integer, zero } from "../../replies.ts";
import { parseBounds, type RangeBy, type RangeFinder } from "./sorted-set-bounds.ts";

const stores = { flags: ["write", "denyoom"], keys: [1, 2, 1] } as const;

export const sortedSetRangeCommands: CommandTable = {
  zrange: { arity: -4, ...reads, run: zrange },
  zrangestore: { arity: -5, ...stores, run: zrangestore },
  zrevrange: { arity: -4, ...reads, run: (call) => legacyRange(call, "rank", true) },
  zrangebyscore: { arity: -4, ...reads, run: (call) => legacyRange(call, "score", false) },
  zrevrangebyscore: { arity: -4, ...reads, run: (call) => legacyRange(call, "score", true) },
  zrangebylex: { arity: -4, ...reads, run: (call) => legacyRange(call, "lex", false) },
  zrevrangebylex: { arity: -4, ...reads, run: (call) => legacyRange(call, "lex", true) },
  zcount: { arity: 4, ...readsFast, run: (call) => countRange(call, "score") },
  zlexcount: { arity: 4, ...readsFast, run: (call) => countRange(call, "lex") },
  zremrangebyrank: { arity: 4, ...writes, run: (call) => removeRange(call, "rank") },
  zremrangebyscore: { arity: 4, ...writes, run: (call) => removeRange(call, "score") },
  zremrangebylex: { arity: 4, ...writes, run: (call) => removeRange(call, "lex") },
};

interface RangeQuery {
  readonly by: RangeBy;
  readonly reversed: boolean;
  readonly withScores: boolean;
  readonly offset: number;
  /** Negative for all. */
  readonly limit: number;
}

function zrange(call: Call): string {
  const query = parseOptions(call.args, { from: 4, options: rangeOptions });
  const found = select(call, call.args.slice(1, 4), query);
  return render(call, found, query);
}

function zrangestore(call: Call): string {
  const { args, db } = call;
  const query = parseOptions(args, { from: 5, options: rangeOptions });
  if (query.withScores) throw new CommandError(syntaxError);
  const found = select(call, args.slice(2, 5), query);
  const key = args[1]!;
  if (found.length === 0) {
    db.delete(key);
    return zero;
  }
  const data = new SortedSet();
  for (const { member, score } of found) data.set(member, score);
  db.set(key, { type: "zset", data });
  return integer(found.length);
}

/** The commands from before ZRANGE could do it all; they name the bounds in the order of output. */
function legacyRange(call: Call, by: RangeBy, reversed: boolean): string {
  const options = by === "rank" ? ["WITHSCORES"] : by === "score" ? legacyScoreOptions : ["LIMIT"];
  const query = { ...parseOptions(call.args, { from: 4, options }), by, reversed };
  return render(call, select(call, call.args.slice(1, 4), query), query);
}

const rangeOptions = ["BYSCORE", "BYLEX", "REV", "LIMIT", "WITHSCORES"];
const legacyScoreOptions = ["WITHSCORES", "LIMIT"];

function parseOptions(
  args: readonly string[],
  { from, options }: { readonly from: number; readonly options: readonly string[] },
): RangeQuery {
  const legacy = options !== rangeOptions;
  let by: RangeBy = "rank";
  let [reversed, withScores, limited] = [false, false, false];
  let [offset, limit] = [0, -1];
  const reader = new OptionReader(args, from);
  for (let option = reader.next(); option !== undefined; option = reader.next()) {
    if (!options.includes(option)) throw new CommandError(syntaxError);
    if (option === "BYSCORE") by = "score";
    else if (option === "BYLEX") by = "lex";
    else if (option === "REV") reversed = true;
    else if (option === "WITHSCORES") withScores = true;
    else {
      if (reader.rest < 2) throw new CommandError(syntaxError);
      [offset, limit] = [integerArg(reader.value()), integerArg(reader.value())];
      limited = true;
    }
  }
  if (!legacy) checkTogether({ by, withScores, limited: limited && limit !== -1 });
  return { by, reversed, withScores, offset, limit };
}

function checkTogether(
  { by, withScores, limited }: {
    readonly by: RangeBy;
    readonly withScores: boolean;
    readonly limited: boolean;
  },
): void {
  if (limited && by === "rank") {
    throw new CommandError(
      "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
    );
  }
  if (withScores && by === "lex") {
    throw new CommandError(
      "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
    );
  }
}

/** `place` is key, first bound, second bound, as they came. */
function select({ db }: Call, place: readonly string[], query: RangeQuery): Scored[] {
  const [key = "", first = "", second = ""] = place;
  const { by, reversed, offset, limit } = query;
  const find = by !== "rank" && reversed
    ? parseBounds(by, second, first)
    : parseBounds(by, first, second);
  const members = db.find(key, "zset");
  if (members === undefined || offset < 0) return [];
  const { from, to } = reversed && by === "rank" ? mirrored(find, members) : find(members);
  const count = Math.min(to - from - offset, limit < 0 ? Infinity : limit);
  if (count <= 0) return [];
  if (!reversed) return members.slice(from + offset, from + offset + count);
  return members.slice(to - offset - count, to - offset).reverse();
}

/** Ranks that count from the highest member down. */
function mirrored(find: RangeFinder, members: SortedSet): ReturnType<RangeFinder> {
  const { from, to } = find(members);
  return { from: members.size - to, to: members.size - from };
}

function render({ reply }: Call, found: readonly Scored[], { withScores }: RangeQuery): string {
  if (!withScores) return array(found.map(({ member }) => bulk(member)));
  return reply.pairs(found.map(({ member, score }) => [bulk(member), reply.double(score)]));
}

function countRange({ args, db }: Call, by: RangeBy): string {
  const find = parseBounds(by, args[2]!, args[3]!);
  const members = db.find(args[1]!, "zset");
  if (members === undefined) return zero;
  const { from, to } = find(members);
  return integer(to - from);
}

function removeRange({ args, db }: Call, by: RangeBy): string {
  const key = args[1]!;
  const find = parseBounds(by, args[2]!, args[3]!);
  const members = db.find(key, "zset");
  if (members === undefined) return zero;
  const { from, to } = find(members);
  for (const { member } of members.slice(from, to)) members.delete(member);
  if (to > from) db.altered(key);
  return integer(to - from);
}
