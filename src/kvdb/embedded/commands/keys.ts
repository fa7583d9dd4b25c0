import { integerArg } from "../arguments.ts";
import { type Call, type CommandTable, readsFast, writesFast } from "../command.ts";
import { CommandError, noSuchKey, syntaxError } from "../command-error.ts";
import { copyValue } from "../data/copy.ts";
import { encodingOf } from "../data/encoding.ts";
import { matchesGlob } from "../data/glob.ts";
import type { Database } from "../database.ts";
import { bulk, bulks, integer, ok, one, simple, zero } from "../replies.ts";

const several = { arity: -2, flags: ["readonly", "fast"], keys: [1, -1, 1] } as const;
const onKey = { arity: 3, flags: ["readonly"], keys: [2, 2, 1] } as const;

export const keyCommands: CommandTable = {
  del: { arity: -2, flags: ["write"], keys: [1, -1, 1], run: del },
  unlink: { arity: -2, flags: ["write", "fast"], keys: [1, -1, 1], run: del },
  exists: { ...several, run: exists },
  touch: { ...several, run: exists },
  type: { arity: 2, ...readsFast, run: type },
  rename: { arity: 3, flags: ["write"], keys: [1, 2, 1], run: rename },
  renamenx: { arity: 3, flags: ["write", "fast"], keys: [1, 2, 1], run: renamenx },
  copy: { arity: -3, flags: ["write", "denyoom"], keys: [1, 2, 1], run: copy },
  move: { arity: 3, ...writesFast, run: move },
  keys: { arity: 2, flags: ["readonly"], run: keys },
  randomkey: { arity: 1, flags: ["readonly"], run: randomkey },
  dbsize: { arity: 1, flags: ["readonly", "fast"], run: ({ db }) => integer(db.size) },
  flushdb: { arity: -1, flags: ["write"], run: (call) => flush(call, [call.db]) },
  flushall: { arity: -1, flags: ["write"], run: (call) => flush(call, call.host.databases) },
  object: {
    arity: -2,
    flags: [],
    subcommands: {
      encoding: { ...onKey, run: encoding },
      refcount: { ...onKey, run: refcount },
    },
    run: () => undefined,
  },
};

function del({ args, db }: Call): string {
  let removed = 0;
  for (const key of args.slice(1)) if (db.delete(key)) removed++;
  return integer(removed);
}

function exists({ args, db }: Call): string {
  return integer(args.slice(1).filter((key) => db.has(key)).length);
}

function type({ args, db }: Call): string {
  return simple(db.get(args[1]!)?.type ?? "none");
}

function rename({ args, db }: Call): string {
  const [, key = "", target = ""] = args;
  if (!db.has(key)) throw new CommandError(noSuchKey);
  if (key !== target) moveValue(db, key, target);
  return ok;
}

function renamenx({ args, db }: Call): string {
  const [, key = "", target = ""] = args;
  if (!db.has(key)) throw new CommandError(noSuchKey);
  if (db.has(target)) return zero;
  moveValue(db, key, target);
  return one;
}

function moveValue(db: Database, key: string, target: string): void {
  const value = db.get(key)!;
  const expiry = db.expiryOf(key);
  db.delete(key);
  db.set(target, value);
  if (expiry !== undefined) db.setExpiry(target, expiry);
}

function copy({ args, db, host }: Call): string {
  const [, key = "", target = ""] = args;
  let destination = db;
  let replace = false;
  for (let i = 3; i < args.length; i++) {
    const option = args[i]!.toUpperCase();
    if (option === "REPLACE") {
      replace = true;
    } else if (option === "DB" && i + 1 < args.length) {
      destination = databaseArg(host.databases, args[++i]!);
    } else {
      throw new CommandError(syntaxError);
    }
  }
  if (destination === db && key === target) {
    throw new CommandError("ERR source and destination objects are the same");
  }
  const value = db.get(key);
  if (value === undefined || (destination.has(target) && !replace)) return zero;
  destination.set(target, copyValue(value));
  const expiry = db.expiryOf(key);
  if (expiry !== undefined) destination.setExpiry(target, expiry);
  return one;
}

function move({ args, db, host }: Call): string {
  const key = args[1]!;
  const index = integerArg(args[2]!);
  const destination = host.databases[index];
  if (destination === undefined) throw new CommandError("ERR DB index is out of range");
  if (destination === db) {
    throw new CommandError("ERR source and destination objects are the same");
  }
  const value = db.get(key);
  if (value === undefined || destination.has(key)) return zero;
  const expiry = db.expiryOf(key);
  db.delete(key);
  destination.set(key, value);
  if (expiry !== undefined) destination.setExpiry(key, expiry);
  return one;
}

function databaseArg(databases: readonly Database[], text: string): Database {
  const found = databases[integerArg(text)];
  if (found === undefined) throw new CommandError("ERR DB index is out of range");
  return found;
}

function keys({ args, db }: Call): string {
  const pattern = args[1]!;
  const all = db.keys();
  return bulks(pattern === "*" ? all : all.filter((key) => matchesGlob(pattern, key)));
}

function randomkey({ db, reply }: Call): string {
  const key = db.randomKey();
  return key === undefined ? reply.nil : bulk(key);
}

function flush({ args }: Call, databases: readonly Database[]): string {
  const mode = args[1]?.toUpperCase();
  const known = mode === undefined || mode === "SYNC" || mode === "ASYNC";
  if (args.length > 2 || !known) throw new CommandError(syntaxError);
  for (const database of databases) database.clear();
  return ok;
}

function encoding({ args, db, reply }: Call): string {
  const value = db.get(args[2]!);
  return value === undefined ? reply.nil : bulk(encodingOf(value));
}

function refcount({ args, db, reply }: Call): string {
  return db.has(args[2]!) ? one : reply.nil;
}
