import { integerArg } from "../arguments.ts";
import {
  type Call,
  type CommandTable,
  grows,
  growsFast,
  reads,
  readsFast,
  writesFast,
} from "../command.ts";
import { CommandError, syntaxError } from "../command-error.ts";
import { array, bulk, integer, ok, one, zero } from "../replies.ts";
import { expiryOptionMs, isExpiryOption } from "./expiry-options.ts";

const severalKeys = { flags: ["readonly", "fast"], keys: [1, -1, 1] } as const;
const severalPairs = { flags: ["write", "denyoom"], keys: [1, -1, 2] } as const;

export const stringCommands: CommandTable = {
  get: { arity: 2, ...readsFast, run: get },
  set: { arity: -3, ...grows, run: set },
  setnx: { arity: 3, ...growsFast, run: setnx },
  setex: { arity: 4, ...grows, run: (call) => setWithExpiry(call, "EX") },
  psetex: { arity: 4, ...grows, run: (call) => setWithExpiry(call, "PX") },
  getset: { arity: 3, ...growsFast, run: getset },
  getdel: { arity: 2, ...writesFast, run: getdel },
  getex: { arity: -2, ...writesFast, run: getex },
  mget: { arity: -2, ...severalKeys, run: mget },
  mset: { arity: -3, ...severalPairs, run: mset },
  msetnx: { arity: -3, ...severalPairs, run: msetnx },
  append: { arity: 3, ...growsFast, run: append },
  strlen: { arity: 2, ...readsFast, run: strlen },
  getrange: { arity: 4, ...reads, run: getrange },
  substr: { arity: 4, ...reads, run: getrange },
  setrange: { arity: 4, ...grows, run: setrange },
};

function get({ args, db, reply }: Call): string {
  const text = db.find(args[1]!, "string");
  return text === undefined ? reply.nil : bulk(text);
}

interface SetOptions {
  readonly condition: "NX" | "XX" | undefined;
  readonly get: boolean;
  readonly keepExpiry: boolean;
  readonly expiryMs: number | undefined;
}

function set(call: Call): string {
  const { args, db, reply } = call;
  const [, key = "", text = ""] = args;
  const options = parseSetOptions(args, db.now());
  const previous = options.get ? db.find(key, "string") : undefined;
  const answer = options.get ? (previous === undefined ? reply.nil : bulk(previous)) : undefined;
  const allowed = options.condition === undefined ||
    db.has(key) === (options.condition === "XX");
  if (!allowed) return answer ?? reply.nil;
  const { expiryMs, keepExpiry } = options;
  store(call, { key, text, expiryMs, keepExpiry });
  return answer ?? ok;
}

function parseSetOptions(args: readonly string[], nowMs: number): SetOptions {
  let condition: SetOptions["condition"];
  let get = false;
  let keepExpiry = false;
  let expiryMs: number | undefined;
  for (let i = 3; i < args.length; i++) {
    const option = args[i]!.toUpperCase();
    const value = args[i + 1];
    if ((option === "NX" || option === "XX") && (condition ?? option) === option) {
      condition = option;
    } else if (option === "GET") {
      get = true;
    } else if (option === "KEEPTTL" && expiryMs === undefined) {
      keepExpiry = true;
    } else if (isExpiryOption(option) && value !== undefined && !keepExpiry && !expiryMs) {
      expiryMs = expiryOptionMs({ option, value, nowMs }, "set");
      i++;
    } else {
      throw new CommandError(syntaxError);
    }
  }
  return { condition, get, keepExpiry, expiryMs };
}

interface StoreOptions {
  readonly key: string;
  readonly text: string;
  readonly expiryMs: number | undefined;
  readonly keepExpiry?: boolean;
}

/** Sets a string; the data file gets the moment of expiry, not the time until then. */
function store(call: Call, { key, text, expiryMs, keepExpiry = false }: StoreOptions): void {
  call.db.set(key, { type: "string", data: text }, { keepExpiry });
  if (expiryMs !== undefined) call.db.setExpiry(key, expiryMs);
  const expiry = expiryMs === undefined ? [] : ["PXAT", String(expiryMs)];
  call.log = [["SET", key, text, ...expiry, ...(keepExpiry ? ["KEEPTTL"] : [])]];
}

function setnx(call: Call): string {
  const [, key = "", text = ""] = call.args;
  if (call.db.has(key)) return zero;
  store(call, { key, text, expiryMs: undefined });
  return one;
}

function setWithExpiry(call: Call, unit: "EX" | "PX"): string {
  const [name = "", key = "", time = "", text = ""] = call.args;
  const given = { option: unit, value: time, nowMs: call.db.now() };
  store(call, { key, text, expiryMs: expiryOptionMs(given, name.toLowerCase()) });
  return ok;
}

function getset(call: Call): string {
  const [, key = "", text = ""] = call.args;
  const answer = get(call);
  store(call, { key, text, expiryMs: undefined });
  return answer;
}

function getdel(call: Call): string {
  const answer = get(call);
  call.db.delete(call.args[1]!);
  return answer;
}

function getex(call: Call): string {
  const { args, db, reply } = call;
  const [, key = ""] = args;
  const wanted = parseGetexOption(args, db.now());
  const text = db.find(key, "string");
  if (text === undefined) return reply.nil;
  if (wanted === "keep") return bulk(text);
  if (wanted === "persist") {
    if (db.expiryOf(key) === undefined) return bulk(text);
    db.setExpiry(key, undefined);
    call.log = [["PERSIST", key]];
  } else {
    db.setExpiry(key, wanted);
    call.log = [["PEXPIREAT", key, String(wanted)]];
  }
  db.changed(key);
  return bulk(text);
}

function parseGetexOption(args: readonly string[], nowMs: number): number | "keep" | "persist" {
  const [, , name = "", value = ""] = args;
  const option = name.toUpperCase();
  if (args.length === 2) return "keep";
  if (args.length === 3 && option === "PERSIST") return "persist";
  if (args.length === 4 && isExpiryOption(option)) {
    return expiryOptionMs({ option, value, nowMs }, "getex");
  }
  throw new CommandError(syntaxError);
}

function mget({ args, db, reply }: Call): string {
  return array(
    args.slice(1).map((key) => {
      const value = db.get(key);
      return value?.type === "string" ? bulk(value.data) : reply.nil;
    }),
  );
}

function mset({ args, db }: Call): string {
  checkPairs(args, "mset");
  for (let i = 1; i < args.length; i += 2) {
    db.set(args[i]!, { type: "string", data: args[i + 1]! });
  }
  return ok;
}

function msetnx(call: Call): string {
  const { args, db } = call;
  checkPairs(args, "msetnx");
  for (let i = 1; i < args.length; i += 2) if (db.has(args[i]!)) return zero;
  mset(call);
  return one;
}

function checkPairs(args: readonly string[], name: string): void {
  if (args.length % 2 === 0) {
    throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
  }
}

function append(call: Call): string {
  const { args, db } = call;
  const [, key = "", more = ""] = args;
  const text = db.find(key, "string") ?? "";
  checkLength(call, text.length + more.length);
  db.set(key, { type: "string", data: text + more }, { keepExpiry: true });
  return integer(text.length + more.length);
}

function strlen({ args, db }: Call): string {
  return integer((db.find(args[1]!, "string") ?? "").length);
}

function getrange({ args, db }: Call): string {
  const start = integerArg(args[2]!);
  const end = integerArg(args[3]!);
  const text = db.find(args[1]!, "string") ?? "";
  if (start < 0 && end < 0 && start > end) return bulk("");
  const from = Math.max(0, start < 0 ? start + text.length : start);
  // An end before the beginning still means the first byte.
  const to = Math.max(0, end < 0 ? end + text.length : end) + 1;
  return bulk(text.slice(from, Math.max(from, to)));
}

function setrange(call: Call): string {
  const { args, db } = call;
  const [, key = "", at = "", piece = ""] = args;
  const offset = integerArg(at);
  if (offset < 0) throw new CommandError("ERR offset is out of range");
  const text = db.find(key, "string") ?? "";
  if (piece === "") return integer(text.length);
  checkLength(call, offset + piece.length);
  const padded = text.padEnd(offset, "\0");
  const data = padded.slice(0, offset) + piece + padded.slice(offset + piece.length);
  db.set(key, { type: "string", data }, { keepExpiry: true });
  return integer(data.length);
}

function checkLength({ host }: Call, length: number): void {
  if (length > host.settings.getNumber("proto-max-bulk-len")) {
    throw new CommandError(
      "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
    );
  }
}
