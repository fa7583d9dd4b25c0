import { integerArg, OptionReader } from "../arguments.ts";
import { type Call, type CommandTable, reads } from "../command.ts";
import { CommandError, syntaxError } from "../command-error.ts";
import { matchesGlob } from "../data/glob.ts";
import type { IndexedMap } from "../data/indexed-map.ts";
import { formatDouble } from "../data/numbers.ts";
import { array, bulk, bulks } from "../replies.ts";

export const scanCommands: CommandTable = {
  scan: { arity: -2, flags: ["readonly"], run: scan },
  hscan: { arity: -3, ...reads, run: hscan },
  sscan: { arity: -3, ...reads, run: sscan },
  zscan: { arity: -3, ...reads, run: zscan },
};

/** A collection of at most this size is told in one answer, whatever COUNT says. */
const smallSize = 128;

interface ScanQuery {
  readonly cursor: number;
  readonly count: number;
  readonly type: string | undefined;
  readonly matches: (name: string) => boolean;
}

function scan({ args, db }: Call): string {
  const { cursor, count, type, matches } = parseQuery(args, 1);
  const found: string[] = [];
  const next = db.scan(cursor, count, (key, value) => {
    if (matches(key) && (type === undefined || type === value.type)) found.push(key);
  });
  return answer(next, found);
}

function hscan({ args, db }: Call): string {
  const query = parseQuery(args, 2);
  return scanMap(db.find(args[1]!, "hash"), query, (field, text) => [field, text]);
}

function sscan({ args, db }: Call): string {
  const query = parseQuery(args, 2);
  return scanMap(db.find(args[1]!, "set"), query, (member) => [member]);
}

function zscan({ args, db }: Call): string {
  const query = parseQuery(args, 2);
  const members = db.find(args[1]!, "zset")?.members;
  return scanMap(members, query, (member, { score }) => [member, formatDouble(score)]);
}

function scanMap<V>(
  map: IndexedMap<V> | undefined,
  { cursor, count, matches }: ScanQuery,
  render: (name: string, value: V) => readonly string[],
): string {
  const found: (readonly string[])[] = [];
  const size = map?.size ?? 0;
  const next = map?.scan(cursor, size <= smallSize ? size : count, (name, value) => {
    if (matches(name)) found.push(render(name, value));
  });
  // A scan goes backwards; a small collection told at once reads better in its own order.
  return answer(next ?? 0, found.reverse().flat());
}

function parseQuery(args: readonly string[], cursorAt: number): ScanQuery {
  const given = args[cursorAt]!;
  if (!/^\d{1,20}$/.test(given)) throw new CommandError("ERR invalid cursor");
  let count = 10;
  let type: string | undefined;
  let pattern = "*";
  const options = new OptionReader(args, cursorAt + 1);
  for (let option = options.next(); option !== undefined; option = options.next()) {
    const value = options.value();
    if (option === "COUNT") count = integerArg(value);
    else if (option === "MATCH") pattern = value;
    else if (option === "TYPE" && cursorAt === 1) type = value.toLowerCase();
    else throw new CommandError(syntaxError);
    if (count < 1) throw new CommandError(syntaxError);
  }
  const matches = pattern === "*" ? () => true : (name: string) => matchesGlob(pattern, name);
  return { cursor: Number(given), count, type, matches };
}

function answer(cursor: number, found: readonly string[]): string {
  return array([bulk(String(cursor)), bulks(found)]);
}
