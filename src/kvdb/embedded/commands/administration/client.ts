import { integerArg } from "../../arguments.ts";
import type { Call, CommandTable } from "../../command.ts";
import { CommandError, syntaxError } from "../../command-error.ts";
import { bulk, integer, ok, zero } from "../../replies.ts";
import type { Session } from "../../session.ts";

const quick = ["noscript", "loading", "stale"] as const;
const administrative = ["admin", ...quick] as const;

/** CLIENT and what follows it. */
export const clientSubcommands: CommandTable = {
  id: { arity: 2, flags: quick, run: ({ session }) => integer(session.id) },
  getname: { arity: 2, flags: quick, run: getname },
  setname: { arity: 3, flags: quick, run: setname },
  setinfo: { arity: 4, flags: quick, run: setinfo },
  info: { arity: 2, flags: quick, run: info },
  list: { arity: -2, flags: administrative, run: list },
  kill: { arity: -3, flags: administrative, run: kill },
  "no-evict": { arity: 3, flags: administrative, run: noEvict },
};

function getname({ session, reply }: Call): string {
  return session.name === "" ? reply.nil : bulk(session.name);
}

function setname({ args, session }: Call): string {
  session.name = printable(args[2]!, "Client names");
  return ok;
}

function setinfo({ args, session }: Call): string {
  const [, , attribute = "", value = ""] = args;
  const text = printable(value, attribute.toLowerCase());
  if (/^lib-name$/i.test(attribute)) session.libraryName = text;
  else if (/^lib-ver$/i.test(attribute)) session.libraryVersion = text;
  else throw new CommandError(`ERR Unrecognized option '${attribute}'`);
  return ok;
}

function printable(text: string, what: string): string {
  if (/[^!-~]/.test(text)) {
    throw new CommandError(
      `ERR ${what} cannot contain spaces, newlines or special characters.`,
    );
  }
  return text;
}

function info({ session, reply }: Call): string {
  return reply.verbatim(describe(session) + "\n");
}

function list({ args, host, reply }: Call): string {
  const sessions = [...host.sessions.values()];
  const chosen = args.length === 2 ? sessions : choose(sessions, args);
  return reply.verbatim(chosen.map((session) => describe(session) + "\n").join(""));
}

function choose(sessions: readonly Session[], args: readonly string[]): readonly Session[] {
  const option = args[2]!.toUpperCase();
  if (option === "TYPE" && args.length === 4) {
    const type = args[3]!.toLowerCase();
    if (!["normal", "pubsub", "master", "replica"].includes(type)) {
      throw new CommandError(`ERR Unknown client type '${args[3]}'`);
    }
    return sessions.filter((session) => typeOf(session) === type);
  }
  if (option === "ID" && args.length > 3) {
    const ids = new Set(args.slice(3).map((id) => integerArg(id, "ERR Invalid client ID")));
    return sessions.filter((session) => ids.has(session.id));
  }
  throw new CommandError(syntaxError);
}

function typeOf(session: Session): string {
  return session.subscriptionCount > 0 ? "pubsub" : "normal";
}

function describe(session: Session): string {
  const now = Date.now();
  const flags = session.subscriptionCount > 0 ? "P" : session.transaction ? "x" : "N";
  return [
    `id=${session.id}`,
    `addr=${session.peer.address}`,
    `laddr=${session.peer.localAddress}`,
    `name=${session.name}`,
    `age=${Math.floor((now - session.connectedAtMs) / 1000)}`,
    `idle=${Math.floor((now - session.lastActiveAtMs) / 1000)}`,
    `flags=${session.blocked ? "b" : flags}`,
    `db=${session.databaseIndex}`,
    `sub=${session.channels.size}`,
    `psub=${session.patterns.size}`,
    `multi=${session.transaction?.length ?? -1}`,
    `cmd=${session.lastCommand}`,
    "user=default",
    `resp=${session.reply.version}`,
    `lib-name=${session.libraryName}`,
    `lib-ver=${session.libraryVersion}`,
  ].join(" ");
}

/** By address (the old form), or by ID, ADDR, LADDR, TYPE, USER and SKIPME. */
function kill(call: Call): string {
  const { args, session, host } = call;
  const sessions = [...host.sessions.values()];
  if (args.length === 3) {
    const victim = sessions.find((one) => one.peer.address === args[2]);
    if (victim === undefined) throw new CommandError("ERR No such client");
    victim.peer.close();
    return ok;
  }
  if (args.length % 2 === 1) throw new CommandError(syntaxError);
  let skipMe = true;
  let victims: readonly Session[] = sessions;
  for (let i = 2; i < args.length; i += 2) {
    const value = args[i + 1]!;
    const filter = killFilters.get(args[i]!.toUpperCase());
    if (filter !== undefined) victims = victims.filter(filter(value));
    else if (/^skipme$/i.test(args[i]!)) skipMe = parseSkipMe(value);
    else throw new CommandError(syntaxError);
  }
  const chosen = victims.filter((one) => one !== session || !skipMe);
  for (const victim of chosen) victim.peer.close();
  return chosen.length === 0 ? zero : integer(chosen.length);
}

const killFilters = new Map<string, (value: string) => (session: Session) => boolean>([
  ["ID", (value) => {
    const id = integerArg(value, "ERR client-id should be greater than 0");
    return (session) => session.id === id;
  }],
  ["ADDR", (value) => (session) => session.peer.address === value],
  ["LADDR", (value) => (session) => session.peer.localAddress === value],
  ["TYPE", (value) => (session) => typeOf(session) === value.toLowerCase()],
  ["USER", (value) => () => value === "default"],
]);

function parseSkipMe(value: string): boolean {
  if (/^yes$/i.test(value)) return true;
  if (/^no$/i.test(value)) return false;
  throw new CommandError(syntaxError);
}

function noEvict({ args }: Call): string {
  // Nothing is ever evicted here.
  if (!/^(on|off)$/i.test(args[2]!)) throw new CommandError(syntaxError);
  return ok;
}
