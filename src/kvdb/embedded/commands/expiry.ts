import { type Call, type CommandTable, readsFast, writesFast } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { integer, one, zero } from "../replies.ts";
import { type ExpiryOption, momentMs } from "./expiry-options.ts";

export const expiryCommands: CommandTable = {
  expire: { arity: -3, ...writesFast, run: (call) => expire(call, "EX") },
  pexpire: { arity: -3, ...writesFast, run: (call) => expire(call, "PX") },
  expireat: { arity: -3, ...writesFast, run: (call) => expire(call, "EXAT") },
  pexpireat: { arity: -3, ...writesFast, run: (call) => expire(call, "PXAT") },
  ttl: { arity: 2, ...readsFast, run: (call) => timeLeft(call, 1000) },
  pttl: { arity: 2, ...readsFast, run: (call) => timeLeft(call, 1) },
  expiretime: { arity: 2, ...readsFast, run: (call) => expiryTime(call, 1000) },
  pexpiretime: { arity: 2, ...readsFast, run: (call) => expiryTime(call, 1) },
  persist: { arity: 2, ...writesFast, run: persist },
};

function expire(call: Call, option: ExpiryOption): string {
  const { args, db } = call;
  const [name = "", key = "", value = ""] = args;
  const conditions = parseConditions(args.slice(3));
  const at = momentMs({ option, value, nowMs: db.now() }, name.toLowerCase());
  if (!db.has(key) || !isAllowed(conditions, db.expiryOf(key), at)) return zero;
  if (at <= db.now() && !db.expiryPaused) {
    db.delete(key);
    call.log = [["DEL", key]];
    return one;
  }
  db.setExpiry(key, at);
  db.changed(key);
  call.log = [["PEXPIREAT", key, String(at)]];
  return one;
}

function parseConditions(options: readonly string[]): ReadonlySet<string> {
  const conditions = new Set<string>();
  for (const option of options) {
    const name = option.toUpperCase();
    if (!["NX", "XX", "GT", "LT"].includes(name)) {
      throw new CommandError(`ERR Unsupported option ${option}`);
    }
    conditions.add(name);
  }
  if (conditions.has("NX") && conditions.size > 1) {
    throw new CommandError("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (conditions.has("GT") && conditions.has("LT")) {
    throw new CommandError("ERR GT and LT options at the same time are not compatible");
  }
  return conditions;
}

function isAllowed(
  conditions: ReadonlySet<string>,
  current: number | undefined,
  at: number,
): boolean {
  // A key that does not expire counts as one that expires never.
  const now = current ?? Infinity;
  return !(conditions.has("NX") && current !== undefined) &&
    !(conditions.has("XX") && current === undefined) &&
    !(conditions.has("GT") && at <= now) &&
    !(conditions.has("LT") && at >= now);
}

function timeLeft({ args, db }: Call, unitMs: number): string {
  if (!db.has(args[1]!)) return integer(-2);
  const at = db.expiryOf(args[1]!);
  if (at === undefined) return integer(-1);
  return integer(Math.floor((Math.max(0, at - db.now()) + unitMs / 2) / unitMs));
}

function expiryTime({ args, db }: Call, unitMs: number): string {
  if (!db.has(args[1]!)) return integer(-2);
  const at = db.expiryOf(args[1]!);
  return integer(at === undefined ? -1 : Math.floor((at + unitMs / 2) / unitMs));
}

function persist({ args, db }: Call): string {
  const key = args[1]!;
  if (!db.has(key) || db.expiryOf(key) === undefined) return zero;
  db.setExpiry(key, undefined);
  db.changed(key);
  return one;
}
