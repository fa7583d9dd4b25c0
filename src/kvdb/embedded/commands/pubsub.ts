import type { Call, CommandTable } from "../command.ts";
import { matchesGlob } from "../data/glob.ts";
import { array, bulk, bulks, integer } from "../replies.ts";

const listening = { flags: ["pubsub", "noscript", "loading", "stale"] } as const;
const inspecting = { flags: ["pubsub", "loading", "stale"] } as const;

export const pubsubCommands: CommandTable = {
  subscribe: { arity: -2, ...listening, run: subscribe },
  psubscribe: { arity: -2, ...listening, run: psubscribe },
  unsubscribe: { arity: -1, ...listening, run: unsubscribe },
  punsubscribe: { arity: -1, ...listening, run: punsubscribe },
  publish: { arity: 3, flags: ["pubsub", "loading", "stale", "fast"], run: publish },
  pubsub: {
    arity: -2,
    flags: [],
    subcommands: {
      channels: { arity: -2, ...inspecting, run: channels },
      numsub: { arity: -2, ...inspecting, run: numsub },
      numpat: { arity: 2, ...inspecting, run: ({ host }) => integer(host.pubsub.patternCount) },
    },
    run: () => undefined,
  },
};

function subscribe(call: Call): string {
  const { session, host } = call;
  return call.args.slice(1).map((channel) => {
    host.pubsub.subscribe(session, channel);
    return confirm(call, "subscribe", channel);
  }).join("");
}

function psubscribe(call: Call): string {
  const { session, host } = call;
  return call.args.slice(1).map((pattern) => {
    host.pubsub.subscribePattern(session, pattern);
    return confirm(call, "psubscribe", pattern);
  }).join("");
}

function unsubscribe(call: Call): string {
  const { args, session, host } = call;
  const channels = args.length > 1 ? args.slice(1) : [...session.channels];
  if (channels.length === 0) return confirm(call, "unsubscribe", undefined);
  return channels.map((channel) => {
    host.pubsub.unsubscribe(session, channel);
    return confirm(call, "unsubscribe", channel);
  }).join("");
}

function punsubscribe(call: Call): string {
  const { args, session, host } = call;
  const patterns = args.length > 1 ? args.slice(1) : [...session.patterns];
  if (patterns.length === 0) return confirm(call, "punsubscribe", undefined);
  return patterns.map((pattern) => {
    host.pubsub.unsubscribePattern(session, pattern);
    return confirm(call, "punsubscribe", pattern);
  }).join("");
}

/** Each name is answered on its own, with how many subscriptions there are after it. */
function confirm({ session, reply }: Call, kind: string, name: string | undefined): string {
  const shown = name === undefined ? reply.nil : bulk(name);
  return reply.push([bulk(kind), shown, integer(session.subscriptionCount)]);
}

function publish({ args, host }: Call): string {
  return integer(host.pubsub.publish(args[1]!, args[2]!));
}

function channels({ args, host }: Call): string {
  const pattern = args[2] ?? "*";
  return bulks(host.pubsub.channelNames.filter((name) => matchesGlob(pattern, name)));
}

function numsub({ args, host }: Call): string {
  return array(
    args.slice(2).flatMap((name) => {
      return [bulk(name), integer(host.pubsub.subscriberCount(name))];
    }),
  );
}
