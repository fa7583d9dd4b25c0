import type { Call, CommandTable } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { array, ok } from "../replies.ts";
import type { Session } from "../session.ts";

const always = ["noscript", "loading", "stale", "fast", "allow_busy"] as const;

export const transactionCommands: CommandTable = {
  multi: { arity: 1, flags: always, run: multi },
  exec: { arity: 1, flags: ["noscript", "loading", "stale", "skip_slowlog"], run: exec },
  discard: { arity: 1, flags: always, run: discard },
  watch: { arity: -2, flags: always, keys: [1, -1, 1], run: watch },
  unwatch: { arity: 1, flags: always, run: unwatch },
};

function multi({ session }: Call): string {
  if (session.transaction !== undefined) {
    throw new CommandError("ERR MULTI calls can not be nested");
  }
  session.transaction = [];
  return ok;
}

function exec(call: Call): string {
  const { session, host, reply } = call;
  const requests = session.transaction;
  if (requests === undefined) throw new CommandError("ERR EXEC without MULTI");
  const broken = session.transactionBroken;
  const intact = host.watchers.isIntact(session);
  endTransaction(call);
  if (broken) {
    throw new CommandError("EXECABORT Transaction discarded because of previous errors.");
  }
  if (!intact) return reply.nilArray;
  call.log = []; // the requests inside are logged one by one
  return host.atomically(() => array(requests.map((args) => runInside(call, session, args))));
}

/** What was queued can neither wait nor end the session, so that each has its answer. */
function runInside({ host }: Call, session: Session, args: readonly string[]): string {
  return host.run(session, args) ?? session.reply.nil;
}

function discard(call: Call): string {
  if (call.session.transaction === undefined) throw new CommandError("ERR DISCARD without MULTI");
  endTransaction(call);
  return ok;
}

function endTransaction({ session, host }: Call): void {
  session.transaction = undefined;
  session.transactionBroken = false;
  host.watchers.leave(session);
}

function watch({ args, session, host, db }: Call): string {
  if (session.transaction !== undefined) {
    throw new CommandError("ERR WATCH inside MULTI is not allowed");
  }
  for (const key of args.slice(1)) host.watchers.watch(session, db, key);
  return ok;
}

function unwatch({ session, host }: Call): string {
  host.watchers.leave(session);
  return ok;
}
