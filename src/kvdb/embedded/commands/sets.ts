import { countArg, integerArg } from "../arguments.ts";
import {
  type Call,
  type CommandTable,
  growsFast,
  reads,
  readsFast,
  writesFast,
} from "../command.ts";
import { CommandError, syntaxError } from "../command-error.ts";
import { array, bulk, emptyArray, integer, one, zero } from "../replies.ts";
import { pickIndexes } from "./random-picks.ts";
import { type Combination, combine, newSet } from "./set-combinations.ts";
import { removeMembers } from "./remove-members.ts";

const readsAll = { flags: ["readonly"], keys: [1, -1, 1] } as const;
const storesAll = { flags: ["write", "denyoom"], keys: [1, -1, 1] } as const;

export const setCommands: CommandTable = {
  sadd: { arity: -3, ...growsFast, run: sadd },
  srem: { arity: -3, ...writesFast, run: srem },
  sismember: { arity: 3, ...readsFast, run: sismember },
  smismember: { arity: -3, ...readsFast, run: smismember },
  smembers: { arity: 2, ...reads, run: smembers },
  scard: { arity: 2, ...readsFast, run: scard },
  spop: { arity: -2, ...writesFast, run: spop },
  srandmember: { arity: -2, ...reads, run: srandmember },
  smove: { arity: 4, flags: ["write", "fast"], keys: [1, 2, 1], run: smove },
  sinter: { arity: -2, ...readsAll, run: (call) => tell(call, "inter") },
  sunion: { arity: -2, ...readsAll, run: (call) => tell(call, "union") },
  sdiff: { arity: -2, ...readsAll, run: (call) => tell(call, "diff") },
  sinterstore: { arity: -3, ...storesAll, run: (call) => store(call, "inter") },
  sunionstore: { arity: -3, ...storesAll, run: (call) => store(call, "union") },
  sdiffstore: { arity: -3, ...storesAll, run: (call) => store(call, "diff") },
  sintercard: { arity: -3, flags: ["readonly", "movablekeys"], run: sintercard },
};

function sadd({ args, db }: Call): string {
  const key = args[1]!;
  const members = db.findOrCreate(key, "set");
  let added = 0;
  for (let i = 2; i < args.length; i++) if (members.set(args[i]!, true)) added++;
  if (added > 0) db.altered(key);
  return integer(added);
}

function srem(call: Call): string {
  return removeMembers(call, "set");
}

function sismember({ args, db }: Call): string {
  return db.find(args[1]!, "set")?.has(args[2]!) ? one : zero;
}

function smismember({ args, db }: Call): string {
  const members = db.find(args[1]!, "set");
  return array(args.slice(2).map((member) => (members?.has(member) ? one : zero)));
}

function smembers({ args, db, reply }: Call): string {
  return reply.set((db.find(args[1]!, "set")?.keys() ?? []).map(bulk));
}

function scard({ args, db }: Call): string {
  return integer(db.find(args[1]!, "set")?.size ?? 0);
}

function spop(call: Call): string {
  const { args, db, reply } = call;
  if (args.length > 3) throw new CommandError(syntaxError);
  const key = args[1]!;
  const count = args[2] === undefined ? undefined : countArg(args[2]);
  const members = db.find(key, "set");
  if (members === undefined) return count === undefined ? reply.nil : reply.set([]);
  const taken = pickIndexes(members.size, count ?? 1).map((index) => members.at(index)[0]);
  for (const member of taken) members.delete(member);
  if (taken.length > 0) db.altered(key);
  call.log = [["SREM", key, ...taken]];
  return count === undefined ? bulk(taken[0]!) : reply.set(taken.map(bulk));
}

function srandmember({ args, db, reply }: Call): string {
  if (args.length > 3) throw new CommandError(syntaxError);
  const count = args[2] === undefined ? undefined : integerArg(args[2]);
  const members = db.find(args[1]!, "set");
  if (members === undefined) return count === undefined ? reply.nil : emptyArray;
  const picked = pickIndexes(members.size, count ?? 1).map((index) => bulk(members.at(index)[0]));
  return count === undefined ? picked[0]! : array(picked);
}

function smove({ args, db }: Call): string {
  const [, source = "", destination = "", member = ""] = args;
  const from = db.find(source, "set");
  if (from === undefined) return zero;
  db.find(destination, "set"); // the wrong type is refused before anything is taken
  if (!from.has(member)) return zero;
  if (source === destination) return one;
  from.delete(member);
  db.altered(source);
  db.findOrCreate(destination, "set").set(member, true);
  db.changed(destination);
  return one;
}

function tell({ args, db, reply }: Call, combination: Combination): string {
  return reply.set([...combine(db, args.slice(1), combination)].map(bulk));
}

function store(call: Call, combination: Combination): string {
  const { args, db } = call;
  const key = args[1]!;
  const members = combine(db, args.slice(2), combination);
  if (members.size === 0) db.delete(key);
  else db.set(key, { type: "set", data: newSet(members) });
  return integer(members.size);
}

function sintercard({ args, db }: Call): string {
  const message = "ERR numkeys should be greater than 0";
  const keyCount = countArg(args[1]!, message);
  if (keyCount === 0) throw new CommandError(message);
  if (keyCount > args.length - 2) {
    throw new CommandError("ERR Number of keys can't be greater than number of args");
  }
  const options = args.slice(2 + keyCount);
  let limit = 0;
  for (let i = 0; i < options.length; i += 2) {
    const value = options[i + 1];
    if (options[i]!.toUpperCase() !== "LIMIT" || value === undefined) {
      throw new CommandError(syntaxError);
    }
    limit = countArg(value, "ERR LIMIT can't be negative");
  }
  const { size } = combine(db, args.slice(2, 2 + keyCount), "inter");
  return integer(limit === 0 ? size : Math.min(size, limit));
}
