import { integerArg } from "../arguments.ts";
import { type Call, type CommandTable, growsFast } from "../command.ts";
import { CommandError, notAFloat, notAnInteger } from "../command-error.ts";
import { addDecimals, addIntegers, isInteger, parseDouble } from "../data/numbers.ts";
import { bulk, integer } from "../replies.ts";

export const numberCommands: CommandTable = {
  incr: { arity: 2, ...growsFast, run: (call) => increment(call, "1") },
  decr: { arity: 2, ...growsFast, run: (call) => increment(call, "-1") },
  incrby: { arity: 3, ...growsFast, run: (call) => increment(call, amount(call)) },
  decrby: { arity: 3, ...growsFast, run: (call) => increment(call, negativeAmount(call)) },
  incrbyfloat: { arity: 3, ...growsFast, run: incrementByFloat },
  hincrby: { arity: 4, ...growsFast, run: incrementField },
  hincrbyfloat: { arity: 4, ...growsFast, run: incrementFieldByFloat },
};

const overflow = "ERR increment or decrement would overflow";
const notFinite = "ERR increment would produce NaN or Infinity";

function amount({ args }: Call): string {
  integerArg(args[2]!);
  return args[2]!;
}

function negativeAmount({ args }: Call): string {
  integerArg(args[2]!);
  if (args[2] === String(-(2n ** 63n))) throw new CommandError("ERR decrement would overflow");
  return String(-BigInt(args[2]!));
}

function increment({ args, db }: Call, by: string): string {
  const key = args[1]!;
  const text = db.find(key, "string") ?? "0";
  if (!isInteger(text)) throw new CommandError(notAnInteger);
  const sum = addIntegers(text, by);
  if (sum === undefined) throw new CommandError(overflow);
  db.set(key, { type: "string", data: sum }, { keepExpiry: true });
  return integer(sum);
}

function incrementByFloat(call: Call): string {
  const { args, db } = call;
  const key = args[1]!;
  const sum = addFloats(db.find(key, "string") ?? "0", args[2]!, notAFloat);
  db.set(key, { type: "string", data: sum }, { keepExpiry: true });
  call.log = [["SET", key, sum, "KEEPTTL"]];
  return bulk(sum);
}

/** Exact, so that counting in steps of 0.1 stays free of rounding errors. */
function addFloats(current: string, by: string, message: string): string {
  const first = parseDouble(current);
  if (first === undefined) throw new CommandError(message);
  const second = parseDouble(by);
  if (second === undefined) throw new CommandError(notAFloat);
  const sum = Number.isFinite(first + second) ? addDecimals(current, by) : undefined;
  if (sum === undefined) throw new CommandError(notFinite);
  return sum;
}

function incrementField({ args, db }: Call): string {
  const [, key = "", field = "", by = ""] = args;
  integerArg(by);
  const text = db.find(key, "hash")?.get(field) ?? "0";
  if (!isInteger(text)) throw new CommandError("ERR hash value is not an integer");
  const sum = addIntegers(text, by);
  if (sum === undefined) throw new CommandError(overflow);
  db.findOrCreate(key, "hash").set(field, sum);
  db.altered(key);
  return integer(sum);
}

function incrementFieldByFloat(call: Call): string {
  const { args, db } = call;
  const [, key = "", field = "", by = ""] = args;
  if (parseDouble(by) === undefined) throw new CommandError(notAFloat);
  const current = db.find(key, "hash")?.get(field) ?? "0";
  const sum = addFloats(current, by, "ERR hash value is not a float");
  db.findOrCreate(key, "hash").set(field, sum);
  db.altered(key);
  call.log = [["HSET", key, field, sum]];
  return bulk(sum);
}
