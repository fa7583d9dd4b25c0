import type { Command, CommandTable } from "../command.ts";
import { blockingCommands } from "./blocking.ts";
import { commandCommands } from "./administration/command-info.ts";
import { connectionCommands } from "./administration/connection.ts";
import { expiryCommands } from "./expiry.ts";
import { hashCommands } from "./hashes.ts";
import { keyCommands } from "./keys.ts";
import { listCommands } from "./lists.ts";
import { numberCommands } from "./numbers.ts";
import { pubsubCommands } from "./pubsub.ts";
import { scanCommands } from "./scans.ts";
import { serverCommands } from "./administration/server.ts";
import { setCommands } from "./sets.ts";
import { sortedSetCommands } from "./sorted-sets/sorted-sets.ts";
import { sortedSetRangeCommands } from "./sorted-sets/sorted-set-ranges.ts";
import { stringCommands } from "./strings.ts";
import { transactionCommands } from "./transactions.ts";

const tables: readonly CommandTable[] = [
  stringCommands,
  numberCommands,
  hashCommands,
  listCommands,
  blockingCommands,
  setCommands,
  sortedSetCommands,
  sortedSetRangeCommands,
  keyCommands,
  expiryCommands,
  scanCommands,
  pubsubCommands,
  transactionCommands,
  connectionCommands,
  serverCommands,
];

export interface NamedCommand {
  readonly command: Command;
  /** Lower case; `config|get` for a subcommand. */
  readonly name: string;
}

const commands = new Map<string, NamedCommand>();
for (const [name, command] of tables.flatMap((table) => Object.entries(table))) {
  commands.set(name, { command, name });
}
for (const [name, command] of Object.entries(commandCommands(commands))) {
  commands.set(name, { command, name });
}
// Most clients send upper case: both spellings are found without converting any.
for (const [name, entry] of [...commands]) commands.set(name.toUpperCase(), entry);

/** The command that a request names, or the text of the error when it cannot be run. */
export function findCommand(args: readonly string[]): NamedCommand | string {
  const given = args[0]!;
  const found = commands.get(given) ?? commands.get(given.toLowerCase());
  if (found === undefined) return unknownCommand(args);
  const entry = findSubcommand(found, args);
  if (entry === undefined) {
    const container = found.name.toUpperCase();
    return `ERR unknown subcommand '${args[1]!.slice(0, 128)}'. Try ${container} HELP.`;
  }
  const { arity } = entry.command;
  if (arity >= 0 ? args.length !== arity : args.length < -arity) {
    return `ERR wrong number of arguments for '${entry.name}' command`;
  }
  return entry;
}

function findSubcommand(found: NamedCommand, args: readonly string[]): NamedCommand | undefined {
  const { subcommands } = found.command;
  if (subcommands === undefined || args.length < 2) return found;
  const name = args[1]!.toLowerCase();
  if (!Object.hasOwn(subcommands, name)) return undefined;
  return { command: subcommands[name]!, name: `${found.name}|${name}` };
}

/** As Redis quotes them: arguments until 128 characters of them are shown. */
function unknownCommand(args: readonly string[]): string {
  let shown = "";
  for (const arg of args.slice(1)) {
    if (shown.length >= 128) break;
    shown += `'${arg.slice(0, 128 - shown.length)}' `;
  }
  const name = args[0]!.slice(0, 128);
  return `ERR unknown command '${name}', with args beginning with: ${shown}`;
}
