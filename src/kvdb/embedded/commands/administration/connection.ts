import { createHash, timingSafeEqual } from "node:crypto";
import { integerArg } from "../../arguments.ts";
import type { Call, CommandTable } from "../../command.ts";
import { CommandError, syntaxError } from "../../command-error.ts";
import { array, bulk, integer, ok, resp2, resp3, simple } from "../../replies.ts";
import { redisVersion } from "../../version.ts";
import { clientSubcommands } from "./client.ts";

const early = ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"] as const;

export const connectionCommands: CommandTable = {
  auth: { arity: -2, flags: early, run: auth },
  hello: { arity: -1, flags: early, run: hello },
  quit: { arity: -1, flags: early, run: quit },
  reset: { arity: 1, flags: early, run: reset },
  ping: { arity: -1, flags: ["fast"], run: ping },
  // Browsers can be made to send HTTP to a local port; what they send must not be run.
  post: { arity: -1, flags: early, run: hangUp },
  "host:": { arity: -1, flags: early, run: hangUp },
  echo: { arity: 2, flags: ["loading", "stale", "fast"], run: ({ args }) => bulk(args[1]!) },
  select: { arity: 2, flags: ["loading", "stale", "fast"], run: select },
  client: { arity: -2, flags: [], subcommands: clientSubcommands, run: () => undefined },
};

const wrongPassword = "WRONGPASS invalid username-password pair or user is disabled.";

function auth(call: Call): string {
  const { args, host } = call;
  if (args.length > 3) throw new CommandError(syntaxError);
  if (args.length === 2 && host.password === undefined) {
    throw new CommandError(
      "ERR AUTH <password> called without any password configured for the default user. " +
        "Are you sure your configuration is correct?",
    );
  }
  authenticate(call, args.length === 3 ? args[1]! : "default", args.at(-1)!);
  return ok;
}

function authenticate({ session, host }: Call, user: string, password: string): void {
  const wanted = host.password;
  const right = wanted === undefined || timingSafeEqual(digest(wanted), digest(password));
  if (user !== "default" || !right) throw new CommandError(wrongPassword);
  session.authenticated = true;
}

/** Of one length, so that comparing tells nothing about the password. */
function digest(text: string): Uint8Array {
  return createHash("sha256").update(text, "latin1").digest();
}

function hello(call: Call): string {
  const { args, session } = call;
  const version = args[1] === undefined ? undefined : integerArg(
    args[1],
    "ERR Protocol version is not an integer or out of range",
  );
  if (version !== undefined && version !== 2 && version !== 3) {
    throw new CommandError("NOPROTO unsupported protocol version");
  }
  const name = readHelloOptions(call);
  if (!session.authenticated) {
    throw new CommandError(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO " +
        "AUTH <user> <pass> option can be used to authenticate the client and select the RESP " +
        "protocol version at the same time",
    );
  }
  if (name !== undefined) session.name = name;
  if (version !== undefined) session.reply = version === 3 ? resp3 : resp2;
  return session.reply.map([
    ...[bulk("server"), bulk("redis"), bulk("version"), bulk(redisVersion)],
    ...[bulk("proto"), integer(session.reply.version), bulk("id"), integer(session.id)],
    ...[bulk("mode"), bulk("standalone"), bulk("role"), bulk("master")],
    ...[bulk("modules"), array([])],
  ]);
}

/** Authenticates when asked to; the name to take. */
function readHelloOptions(call: Call): string | undefined {
  const { args } = call;
  let name: string | undefined;
  for (let i = 2; i < args.length; i++) {
    const option = args[i]!.toUpperCase();
    if (option === "AUTH" && i + 2 < args.length) {
      authenticate(call, args[i + 1]!, args[i + 2]!);
      i += 2;
    } else if (option === "SETNAME" && i + 1 < args.length) {
      name = args[++i]!;
      if (/[^!-~]/.test(name)) throw new CommandError(badName);
    } else {
      throw new CommandError(`ERR Syntax error in HELLO option '${args[i]}'`);
    }
  }
  return name;
}

const badName = "ERR Client names cannot contain spaces, newlines or special characters.";

function quit({ session }: Call): undefined {
  session.peer.send(ok);
  session.peer.close();
}

function hangUp({ session }: Call): undefined {
  session.peer.close();
}

function reset({ session, host }: Call): string {
  session.transaction = undefined;
  session.transactionBroken = false;
  host.watchers.leave(session);
  host.pubsub.leave(session);
  session.databaseIndex = 0;
  session.name = "";
  session.reply = resp2;
  session.authenticated = host.password === undefined;
  return simple("RESET");
}

function ping({ args, session, reply }: Call): string {
  if (args.length > 2) {
    throw new CommandError("ERR wrong number of arguments for 'ping' command");
  }
  if (reply.version === 2 && session.subscriptionCount > 0) {
    return array([bulk("pong"), bulk(args[1] ?? "")]);
  }
  return args[1] === undefined ? simple("PONG") : bulk(args[1]);
}

function select({ args, session, host }: Call): string {
  const index = integerArg(args[1]!);
  if (host.databases[index] === undefined) {
    throw new CommandError("ERR DB index is out of range");
  }
  session.databaseIndex = index;
  return ok;
}
