import type { Call, CommandTable } from "../../command.ts";
import { CommandError, syntaxError } from "../../command-error.ts";
import { matchesGlob } from "../../data/glob.ts";
import { array, bulk, bulks, integer, ok, simple, zero } from "../../replies.ts";
import { renderInfo } from "./info.ts";

const always = ["loading", "stale"] as const;
const administrative = ["admin", "noscript", "no_async_loading"] as const;
const configuring = ["admin", "noscript", "loading", "stale"] as const;

export const serverCommands: CommandTable = {
  info: { arity: -1, flags: always, run: info },
  time: { arity: 1, flags: [...always, "fast"], run: time },
  lastsave: { arity: 1, flags: [...always, "fast"], run: lastsave },
  save: { arity: 1, flags: [...administrative, "no_multi"], run: save },
  bgsave: { arity: -1, flags: administrative, run: bgsave },
  bgrewriteaof: { arity: 1, flags: administrative, run: bgrewriteaof },
  wait: { arity: 3, flags: ["noscript"], run: () => zero },
  role: { arity: 1, flags: ["noscript", ...always, "fast"], run: role },
  shutdown: {
    arity: -1,
    flags: ["admin", "noscript", ...always, "no_multi", "allow_busy"],
    run: shutdown,
  },
  config: {
    arity: -2,
    flags: [],
    subcommands: {
      get: { arity: -3, flags: configuring, run: configGet },
      set: { arity: -4, flags: configuring, run: configSet },
      resetstat: { arity: 2, flags: configuring, run: () => ok },
    },
    run: () => undefined,
  },
};

function info(call: Call): string {
  return call.reply.verbatim(renderInfo(call.host, call.args.slice(1)));
}

function time(): string {
  const now = performance.timeOrigin + performance.now();
  const seconds = Math.floor(now / 1000);
  return bulks([String(seconds), String(Math.floor((now - seconds * 1000) * 1000))]);
}

function lastsave({ host }: Call): string {
  return integer(host.journal?.rewrittenAt ?? Math.floor(host.startedAtMs / 1000));
}

/** Every change is in the file already; saving makes it as short as it can be. */
function save({ host }: Call): string {
  host.journal?.rewrite();
  return ok;
}

function bgsave(call: Call): string {
  save(call);
  return simple("Background saving started");
}

function bgrewriteaof(call: Call): string {
  save(call);
  return simple("Background append only file rewriting started");
}

function role(): string {
  return array([bulk("master"), zero, array([])]);
}

function shutdown({ args, host }: Call): undefined {
  const known = ["SAVE", "NOSAVE", "NOW", "FORCE", "ABORT"];
  const options = args.slice(1).map((option) => option.toUpperCase());
  if (!options.every((option) => known.includes(option))) throw new CommandError(syntaxError);
  if (options.includes("ABORT")) throw new CommandError("ERR No shutdown in progress.");
  host.shutdown();
}

function configGet({ args, host, reply }: Call): string {
  const patterns = args.slice(2).map((pattern) => pattern.toLowerCase());
  const names = host.settings.names().filter((name) => {
    return patterns.some((pattern) => matchesGlob(pattern, name));
  });
  return reply.map(names.flatMap((name) => [bulk(name), bulk(host.settings.get(name))]));
}

function configSet({ args, host }: Call): string {
  if (args.length % 2 === 1) {
    throw new CommandError("ERR wrong number of arguments for 'config|set' command");
  }
  for (let i = 2; i < args.length; i += 2) {
    if (!host.settings.has(args[i]!.toLowerCase())) {
      throw new CommandError(
        `ERR Unknown option or number of arguments for CONFIG SET - '${args[i]}'`,
      );
    }
  }
  for (let i = 2; i < args.length; i += 2) {
    const why = host.settings.set(args[i]!.toLowerCase(), args[i + 1]!);
    if (why !== undefined) {
      throw new CommandError(
        `ERR CONFIG SET failed (possibly related to argument '${args[i]}') - ${why}`,
      );
    }
  }
  return ok;
}
