import { countArg, doubleArg, integerArg } from "../../arguments.ts";
import {
  type Call,
  type CommandTable,
  growsFast,
  reads,
  readsFast,
  writesFast,
} from "../../command.ts";
import { CommandError, syntaxError } from "../../command-error.ts";
import { array, bulk, emptyArray, integer } from "../../replies.ts";
import { pickIndexes } from "../random-picks.ts";
import { type AddOptions, parseAddOptions } from "./sorted-set-options.ts";
import { removeMembers } from "../remove-members.ts";

export const sortedSetCommands: CommandTable = {
  zadd: { arity: -4, ...growsFast, run: zadd },
  zincrby: { arity: 4, ...growsFast, run: zincrby },
  zrem: { arity: -3, ...writesFast, run: zrem },
  zscore: { arity: 3, ...readsFast, run: zscore },
  zmscore: { arity: -3, ...readsFast, run: zmscore },
  zcard: { arity: 2, ...readsFast, run: zcard },
  zrank: { arity: 3, ...readsFast, run: (call) => zrank(call, "up") },
  zrevrank: { arity: 3, ...readsFast, run: (call) => zrank(call, "down") },
  zpopmin: { arity: -2, ...writesFast, run: (call) => zpop(call, "min") },
  zpopmax: { arity: -2, ...writesFast, run: (call) => zpop(call, "max") },
  zrandmember: { arity: -2, ...reads, run: zrandmember },
};

function zadd(call: Call): string {
  const { args, reply } = call;
  const options = parseAddOptions(args);
  const pairs: [score: number, member: string][] = [];
  for (let i = options.pairsFrom; i < args.length; i += 2) {
    pairs.push([doubleArg(args[i]!), args[i + 1]!]);
  }
  const outcome = addAll(call, pairs, options);
  if (!options.increment) return integer(options.countChanged ? outcome.changed : outcome.added);
  return outcome.score === undefined ? reply.nil : reply.double(outcome.score);
}

function zincrby(call: Call): string {
  const [, , by = "", member = ""] = call.args;
  const { score } = addAll(call, [[doubleArg(by), member]], { increment: true });
  return call.reply.double(score!);
}

interface AddOutcome {
  readonly added: number;
  /** Added, or given another score. */
  readonly changed: number;
  /** The last member's score; undefined when a condition left it alone. */
  readonly score: number | undefined;
}

function addAll(
  { args, db }: Call,
  pairs: readonly (readonly [score: number, member: string])[],
  options: Partial<AddOptions>,
): AddOutcome {
  const key = args[1]!;
  const existing = db.find(key, "zset");
  if (existing === undefined && options.condition === "XX") {
    return { added: 0, changed: 0, score: undefined };
  }
  const members = db.findOrCreate(key, "zset");
  let [added, changed] = [0, 0];
  let last: number | undefined;
  for (const [given, member] of pairs) {
    const current = members.score(member);
    // Adding 0 turns -0 into 0.
    const score = (options.increment ? current ?? 0 : 0) + given;
    if (Number.isNaN(score)) {
      throw new CommandError("ERR resulting score is not a number (NaN)");
    }
    last = isAllowed(current, score, options) ? score : undefined;
    if (last === undefined || last === current) continue;
    members.set(member, score);
    changed++;
    if (current === undefined) added++;
  }
  // Also a key made for nothing must go again.
  if (changed > 0 || members.size === 0) db.altered(key);
  return { added, changed, score: last };
}

function isAllowed(
  current: number | undefined,
  score: number,
  { condition, compare }: Partial<AddOptions>,
): boolean {
  if (current === undefined) return condition !== "XX";
  if (condition === "NX") return false;
  return compare === undefined || (compare === "GT" ? score > current : score < current);
}

function zrem(call: Call): string {
  return removeMembers(call, "zset");
}

function zscore({ args, db, reply }: Call): string {
  const score = db.find(args[1]!, "zset")?.score(args[2]!);
  return score === undefined ? reply.nil : reply.double(score);
}

function zmscore({ args, db, reply }: Call): string {
  const members = db.find(args[1]!, "zset");
  return array(
    args.slice(2).map((member) => {
      const score = members?.score(member);
      return score === undefined ? reply.nil : reply.double(score);
    }),
  );
}

function zcard({ args, db }: Call): string {
  return integer(db.find(args[1]!, "zset")?.size ?? 0);
}

function zrank({ args, db, reply }: Call, direction: "up" | "down"): string {
  const members = db.find(args[1]!, "zset");
  const rank = members?.rank(args[2]!);
  if (members === undefined || rank === undefined) return reply.nil;
  return integer(direction === "up" ? rank : members.size - 1 - rank);
}

function zpop(call: Call, which: "min" | "max"): string {
  const { args, db, reply } = call;
  if (args.length > 3) throw new CommandError(syntaxError);
  const key = args[1]!;
  const count = args[2] === undefined ? undefined : countArg(args[2]);
  const members = db.find(key, "zset");
  if (members === undefined) return emptyArray;
  const size = Math.min(count ?? 1, members.size);
  const taken = which === "min"
    ? members.slice(0, size)
    : members.slice(members.size - size, members.size).reverse();
  for (const { member } of taken) members.delete(member);
  if (taken.length > 0) db.altered(key);
  const pairs = taken.map(({ member, score }) => [bulk(member), reply.double(score)] as const);
  return count === undefined ? array(pairs.flat()) : reply.pairs(pairs);
}

function zrandmember({ args, db, reply }: Call): string {
  if (args.length === 2) {
    const members = db.find(args[1]!, "zset")?.members;
    return members === undefined ? reply.nil : bulk(members.at(members.randomIndex())[0]);
  }
  const count = integerArg(args[2]!);
  const withScores = args[3]?.toUpperCase() === "WITHSCORES";
  if (args.length > 4 || (args.length === 4 && !withScores)) throw new CommandError(syntaxError);
  const members = db.find(args[1]!, "zset")?.members;
  if (members === undefined) return emptyArray;
  const picked = pickIndexes(members.size, count).map((index) => members.at(index)[1]);
  if (!withScores) return array(picked.map(({ member }) => bulk(member)));
  return reply.pairs(picked.map(({ member, score }) => [bulk(member), reply.double(score)]));
}
