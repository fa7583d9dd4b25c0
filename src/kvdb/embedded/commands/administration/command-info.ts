import type { Call, Command, CommandTable } from "../../command.ts";
import { CommandError } from "../../command-error.ts";
import { array, bulk, bulks, integer, simple } from "../../replies.ts";

interface Named {
  readonly command: Command;
  readonly name: string;
}

/** COMMAND, which tells about all commands; `known` may still grow after the call. */
export function commandCommands(known: ReadonlyMap<string, Named>): CommandTable {
  const all = () => [...new Set(known.values())];
  const flags = ["loading", "stale"] as const;
  return {
    command: {
      arity: -1,
      flags,
      subcommands: {
        count: { arity: 2, flags, run: () => integer(all().length) },
        info: { arity: -2, flags, run: (call) => info(call, known) },
        docs: { arity: -2, flags, run: ({ reply }) => reply.map([]) },
        list: { arity: 2, flags, run: () => bulks(all().map(({ name }) => name)) },
        getkeys: { arity: -4, flags, run: (call) => getkeys(call, known) },
      },
      run: ({ reply }) => array(all().map((named) => describe(named, reply.set))),
    },
  };
}

function info({ args, reply }: Call, known: ReadonlyMap<string, Named>): string {
  const names = args.length > 2 ? args.slice(2) : [...new Set(known.values())].map((k) => k.name);
  return array(names.map((name) => {
    const named = known.get(name.toLowerCase());
    return named === undefined ? reply.nil : describe(named, reply.set);
  }));
}

type RenderSet = (encoded: readonly string[]) => string;

/** Name, arity, flags, first key, last key, step, then what only newer versions have. */
function describe({ command, name }: Named, set: RenderSet): string {
  const keys = command.keys ?? [0, 0, 0];
  const subcommands = Object.entries(command.subcommands ?? {}).map(([sub, inner]) => {
    return describe({ command: inner, name: `${name}|${sub}` }, set);
  });
  return array([
    bulk(name),
    integer(command.arity),
    set(command.flags.map(simple)),
    ...keys.map(integer),
    set([]),
    array([]),
    array([]),
    array(subcommands),
  ]);
}

function getkeys({ args }: Call, known: ReadonlyMap<string, Named>): string {
  const request = args.slice(2);
  const command = known.get(request[0]!.toLowerCase())?.command;
  if (command === undefined) throw new CommandError("ERR Invalid command specified");
  if (command.keys === undefined) {
    throw new CommandError("ERR The command has no key arguments");
  }
  const [first, last, step] = command.keys;
  const end = last < 0 ? request.length + last : last;
  if (end >= request.length) {
    throw new CommandError("ERR Invalid number of arguments specified for command");
  }
  const keys: string[] = [];
  for (let i = first; i <= end; i += step) keys.push(request[i]!);
  return bulks(keys);
}
