import { integerArg } from "../arguments.ts";
import {
  type Call,
  type CommandTable,
  growsFast,
  reads,
  readsFast,
  writesFast,
} from "../command.ts";
import { CommandError, syntaxError } from "../command-error.ts";
import type { IndexedMap } from "../data/indexed-map.ts";
import { array, bulk, bulks, emptyArray, integer, ok, one, zero } from "../replies.ts";
import { pickIndexes } from "./random-picks.ts";
import { removeMembers } from "./remove-members.ts";

export const hashCommands: CommandTable = {
  hset: { arity: -4, ...growsFast, run: hset },
  hmset: { arity: -4, ...growsFast, run: hmset },
  hsetnx: { arity: 4, ...growsFast, run: hsetnx },
  hget: { arity: 3, ...readsFast, run: hget },
  hmget: { arity: -3, ...readsFast, run: hmget },
  hgetall: { arity: 2, ...reads, run: hgetall },
  hkeys: { arity: 2, ...reads, run: hkeys },
  hvals: { arity: 2, ...reads, run: hvals },
  hdel: { arity: -3, ...writesFast, run: hdel },
  hexists: { arity: 3, ...readsFast, run: hexists },
  hlen: { arity: 2, ...readsFast, run: hlen },
  hstrlen: { arity: 3, ...readsFast, run: hstrlen },
  hrandfield: { arity: -2, ...reads, run: hrandfield },
};

/** How many of the given fields are new. */
function setFields({ args, db }: Call, name: string): number {
  if (args.length % 2 === 1) {
    throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
  }
  const key = args[1]!;
  const fields = db.findOrCreate(key, "hash");
  let added = 0;
  for (let i = 2; i < args.length; i += 2) {
    if (fields.set(args[i]!, args[i + 1]!)) added++;
  }
  db.altered(key);
  return added;
}

function hset(call: Call): string {
  return integer(setFields(call, "hset"));
}

function hmset(call: Call): string {
  setFields(call, "hmset");
  return ok;
}

function hsetnx({ args, db }: Call): string {
  const [, key = "", field = "", text = ""] = args;
  if (db.find(key, "hash")?.has(field)) return zero;
  db.findOrCreate(key, "hash").set(field, text);
  db.altered(key);
  return one;
}

function hget({ args, db, reply }: Call): string {
  const text = db.find(args[1]!, "hash")?.get(args[2]!);
  return text === undefined ? reply.nil : bulk(text);
}

function hmget({ args, db, reply }: Call): string {
  const fields = db.find(args[1]!, "hash");
  return array(
    args.slice(2).map((field) => {
      const text = fields?.get(field);
      return text === undefined ? reply.nil : bulk(text);
    }),
  );
}

function hgetall({ args, db, reply }: Call): string {
  const fields = db.find(args[1]!, "hash");
  const flat: string[] = [];
  for (const [field, text] of fields?.entries() ?? []) flat.push(bulk(field), bulk(text));
  return reply.map(flat);
}

function hkeys({ args, db }: Call): string {
  return bulks(db.find(args[1]!, "hash")?.keys() ?? []);
}

function hvals({ args, db }: Call): string {
  const fields = db.find(args[1]!, "hash");
  return bulks([...fields?.entries() ?? []].map(([, text]) => text));
}

function hdel(call: Call): string {
  return removeMembers(call, "hash");
}

function hexists({ args, db }: Call): string {
  return db.find(args[1]!, "hash")?.has(args[2]!) ? one : zero;
}

function hlen({ args, db }: Call): string {
  return integer(db.find(args[1]!, "hash")?.size ?? 0);
}

function hstrlen({ args, db }: Call): string {
  return integer(db.find(args[1]!, "hash")?.get(args[2]!)?.length ?? 0);
}

function hrandfield(call: Call): string {
  const { args, db, reply } = call;
  if (args.length === 2) {
    const fields = db.find(args[1]!, "hash");
    return fields === undefined ? reply.nil : bulk(fields.at(fields.randomIndex())[0]);
  }
  const count = integerArg(args[2]!);
  const withValues = args[3]?.toUpperCase() === "WITHVALUES";
  if (args.length > 4 || (args.length === 4 && !withValues)) throw new CommandError(syntaxError);
  const fields = db.find(args[1]!, "hash");
  if (fields === undefined) return emptyArray;
  return withValues ? reply.pairs(pick(fields, count)) : array(pick(fields, count).map(first));
}

function pick(fields: IndexedMap<string>, count: number): [string, string][] {
  return pickIndexes(fields.size, count).map((index) => {
    const [field, text] = fields.at(index);
    return [bulk(field), bulk(text)];
  });
}

function first([field]: readonly [string, string]): string {
  return field;
}
