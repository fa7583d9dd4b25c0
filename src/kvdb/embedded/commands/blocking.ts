import { doubleArg } from "../arguments.ts";
import type { Call, CommandTable } from "../command.ts";
import { CommandError, syntaxError } from "../command-error.ts";
import { array, bulk } from "../replies.ts";
import type { End } from "./lists.ts";

const oneOfSeveral = { flags: ["write", "noscript", "blocking"], keys: [1, -2, 1] } as const;
const moves = { flags: ["write", "denyoom"], keys: [1, 2, 1] } as const;
const movesBlocking = {
  flags: ["write", "denyoom", "noscript", "blocking"],
  keys: [1, 2, 1],
} as const;
const oneOfSeveralFast = {
  flags: ["write", "noscript", "blocking", "fast"],
  keys: [1, -2, 1],
} as const;

export const blockingCommands: CommandTable = {
  lmove: { arity: 5, ...moves, run: (call) => lmove(call) ?? call.reply.nil },
  rpoplpush: { arity: 3, ...moves, run: (call) => rpoplpush(call) ?? call.reply.nil },
  blmove: { arity: 6, ...movesBlocking, run: (call) => blockOnSource(call, lmove) },
  brpoplpush: { arity: 4, ...movesBlocking, run: (call) => blockOnSource(call, rpoplpush) },
  blpop: { arity: -3, ...oneOfSeveral, run: (call) => blockOnAny(call, popList("left")) },
  brpop: { arity: -3, ...oneOfSeveral, run: (call) => blockOnAny(call, popList("right")) },
  bzpopmin: { arity: -3, ...oneOfSeveralFast, run: (call) => blockOnAny(call, popScored("min")) },
  bzpopmax: { arity: -3, ...oneOfSeveralFast, run: (call) => blockOnAny(call, popScored("max")) },
};

/** Takes one item from `key`; undefined when there is none. */
type Taker = (call: Call, key: string) => string | undefined;

function popList(end: End): Taker {
  return (call, key) => {
    const list = call.db.find(key, "list");
    const item = end === "left" ? list?.popLeft() : list?.popRight();
    if (item === undefined) return undefined;
    call.db.altered(key);
    call.log = [[end === "left" ? "LPOP" : "RPOP", key]];
    return array([bulk(key), bulk(item)]);
  };
}

function popScored(which: "min" | "max"): Taker {
  return (call, key) => {
    const members = call.db.find(key, "zset");
    if (members === undefined) return undefined;
    const rank = which === "min" ? 0 : members.size - 1;
    const { member, score } = members.slice(rank, rank + 1)[0]!;
    members.delete(member);
    call.db.altered(key);
    call.log = [["ZREM", key, member]];
    return array([bulk(key), bulk(member), call.reply.double(score)]);
  };
}

function blockOnAny(call: Call, take: Taker): string | undefined {
  const timeoutMs = parseTimeout(call.args.at(-1)!);
  const keys = call.args.slice(1, -1);
  const attempt = () => {
    for (const key of keys) {
      const taken = take(call, key);
      if (taken !== undefined) return taken;
    }
    return undefined;
  };
  return attempt() ?? block(call, { keys, timeoutMs, attempt, refusal: call.reply.nilArray });
}

function blockOnSource(call: Call, move: (call: Call) => string | undefined): string | undefined {
  const timeoutMs = parseTimeout(call.args.at(-1)!);
  const keys = call.args.slice(1, 2);
  const attempt = () => move(call);
  return attempt() ?? block(call, { keys, timeoutMs, attempt, refusal: call.reply.nil });
}

interface BlockPlan {
  readonly keys: readonly string[];
  readonly timeoutMs: number;
  readonly attempt: () => string | undefined;
  /** The reply inside a transaction, which cannot wait: nobody else would run meanwhile. */
  readonly refusal: string;
}

function block(call: Call, { keys, timeoutMs, attempt, refusal }: BlockPlan): string | undefined {
  const { session, host, db, reply } = call;
  if (host.inTransaction) return refusal;
  host.blocked.block(session, {
    database: db,
    keys,
    timeoutMs,
    onTimeout: () => reply.nilArray,
    retry: () => {
      const answer = attempt();
      if (answer !== undefined) { for (const request of call.log ?? []) host.log(db, request); }
      return answer;
    },
  });
  return undefined;
}

function parseTimeout(text: string): number {
  const seconds = doubleArg(text, "ERR timeout is not a float or out of range");
  if (seconds < 0) throw new CommandError("ERR timeout is negative");
  // Timers cannot wait longer than 2^31 ms; nobody waits for 24 days.
  if (seconds * 1000 > Number.MAX_SAFE_INTEGER) {
    throw new CommandError("ERR timeout is out of range");
  }
  return Math.min(Math.ceil(seconds * 1000), 2 ** 31 - 1);
}

function lmove(call: Call): string | undefined {
  return moveItem(call, parseEnd(call.args[3]!), parseEnd(call.args[4]!));
}

function rpoplpush(call: Call): string | undefined {
  return moveItem(call, "right", "left");
}

function parseEnd(text: string): End {
  const end = text.toLowerCase();
  if (end !== "left" && end !== "right") throw new CommandError(syntaxError);
  return end;
}

function moveItem(call: Call, from: End, to: End): string | undefined {
  const { args, db } = call;
  const [, source = "", destination = ""] = args;
  const list = db.find(source, "list");
  if (list === undefined) return undefined;
  db.find(destination, "list"); // the wrong type is refused before anything is taken
  const item = (from === "left" ? list.popLeft() : list.popRight())!;
  const target = source === destination ? list : db.findOrCreate(destination, "list");
  if (to === "left") target.pushLeft(item);
  else target.pushRight(item);
  db.altered(source);
  if (source !== destination) db.changed(destination);
  call.log = [["LMOVE", source, destination, from.toUpperCase(), to.toUpperCase()]];
  return bulk(item);
}
