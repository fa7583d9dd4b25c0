import { clampRange, countArg, integerArg } from "../arguments.ts";
import {
  type Call,
  type CommandTable,
  grows,
  growsFast,
  reads,
  readsFast,
  writes,
  writesFast,
} from "../command.ts";
import { CommandError, noSuchKey, syntaxError } from "../command-error.ts";
import { bulk, bulks, integer, ok, zero } from "../replies.ts";
import { lpos } from "./list-search.ts";

export const listCommands: CommandTable = {
  lpush: { arity: -3, ...growsFast, run: (call) => push(call, "left") },
  rpush: { arity: -3, ...growsFast, run: (call) => push(call, "right") },
  lpushx: { arity: -3, ...growsFast, run: (call) => pushIfThere(call, "left") },
  rpushx: { arity: -3, ...growsFast, run: (call) => pushIfThere(call, "right") },
  lpop: { arity: -2, ...writesFast, run: (call) => pop(call, "left") },
  rpop: { arity: -2, ...writesFast, run: (call) => pop(call, "right") },
  llen: { arity: 2, ...readsFast, run: llen },
  lrange: { arity: 4, ...reads, run: lrange },
  lindex: { arity: 3, ...reads, run: lindex },
  lset: { arity: 4, ...grows, run: lset },
  lrem: { arity: 4, ...writes, run: lrem },
  ltrim: { arity: 4, ...writes, run: ltrim },
  linsert: { arity: 5, ...grows, run: linsert },
  lpos: { arity: -3, ...reads, run: lpos },
};

export type End = "left" | "right";

function push({ args, db }: Call, end: End): string {
  const list = db.findOrCreate(args[1]!, "list");
  for (let i = 2; i < args.length; i++) {
    if (end === "left") list.pushLeft(args[i]!);
    else list.pushRight(args[i]!);
  }
  db.altered(args[1]!);
  return integer(list.length);
}

function pushIfThere(call: Call, end: End): string {
  return call.db.find(call.args[1]!, "list") === undefined ? zero : push(call, end);
}

function pop({ args, db, reply }: Call, end: End): string {
  const key = args[1]!;
  if (args.length > 3) {
    const name = end === "left" ? "lpop" : "rpop";
    throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
  }
  const count = args[2] === undefined ? undefined : countArg(args[2]);
  const list = db.find(key, "list");
  if (list === undefined) return count === undefined ? reply.nil : reply.nilArray;
  const taken: string[] = [];
  while (taken.length < (count ?? 1) && list.length > 0) {
    taken.push((end === "left" ? list.popLeft() : list.popRight())!);
  }
  if (taken.length > 0) db.altered(key);
  return count === undefined ? bulk(taken[0]!) : bulks(taken);
}

function llen({ args, db }: Call): string {
  return integer(db.find(args[1]!, "list")?.length ?? 0);
}

function lrange({ args, db }: Call): string {
  const start = integerArg(args[2]!);
  const stop = integerArg(args[3]!);
  const list = db.find(args[1]!, "list");
  const { from, to } = clampRange(start, stop, list?.length ?? 0);
  return bulks(list?.slice(from, to) ?? []);
}

function lindex({ args, db, reply }: Call): string {
  const list = db.find(args[1]!, "list");
  if (list === undefined) return reply.nil;
  const index = integerArg(args[2]!);
  const at = index < 0 ? index + list.length : index;
  return at >= 0 && at < list.length ? bulk(list.at(at)) : reply.nil;
}

function lset({ args, db }: Call): string {
  const [, key = "", index = "", item = ""] = args;
  const list = db.find(key, "list");
  if (list === undefined) throw new CommandError(noSuchKey);
  const given = integerArg(index);
  const at = given < 0 ? given + list.length : given;
  if (at < 0 || at >= list.length) throw new CommandError("ERR index out of range");
  list.replace(at, item);
  db.changed(key);
  return ok;
}

function lrem({ args, db }: Call): string {
  const [, key = "", countText = "", item = ""] = args;
  const count = integerArg(countText);
  const list = db.find(key, "list");
  if (list === undefined) return zero;
  const limit = count === 0 ? list.length : Math.abs(count);
  const items = count < 0 ? list.slice().reverse() : list.slice();
  let removed = 0;
  const kept = items.filter((one) => one !== item || removed === limit || removed++ < 0);
  if (removed === 0) return zero;
  list.assign(count < 0 ? kept.reverse() : kept);
  db.altered(key);
  return integer(removed);
}

function ltrim({ args, db }: Call): string {
  const [, key = "", start = "", stop = ""] = args;
  const range = [integerArg(start), integerArg(stop)] as const;
  const list = db.find(key, "list");
  if (list === undefined) return ok;
  const { from, to } = clampRange(...range, list.length);
  list.assign(list.slice(from, to));
  db.altered(key);
  return ok;
}

function linsert({ args, db }: Call): string {
  const [, key = "", where = "", pivot = "", item = ""] = args;
  const place = where.toUpperCase();
  if (place !== "BEFORE" && place !== "AFTER") throw new CommandError(syntaxError);
  const list = db.find(key, "list");
  if (list === undefined) return zero;
  const items = list.slice();
  const at = items.indexOf(pivot);
  if (at < 0) return integer(-1);
  items.splice(place === "BEFORE" ? at : at + 1, 0, item);
  list.assign(items);
  db.changed(key);
  return integer(items.length);
}
