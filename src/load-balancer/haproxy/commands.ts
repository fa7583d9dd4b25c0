import { PlatformError } from "../../errors/platform-error.ts";

/** Commands that change nothing but counters, tables and limits of the moment. */
const allowed: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["help", /^help$/],
  ["get weight", /^get weight /],
  ["clear counters", /^clear counters(?: all)?$/],
  ["clear table", /^clear table /],
  ["set rate-limit", /^set rate-limit /],
  ["set maxconn frontend", /^set maxconn frontend /],
  ["shutdown session", /^shutdown session /],
  ["shutdown sessions server", /^shutdown sessions server /],
];

/** What shows the agent's environment, or requests as they came, secrets and all. */
const secretShows = /^show (?:env|errors|tls-keys|ssl ocsp-response|trace)\b/;

/**
 * Checks a command before it goes to HAProxy's control socket, which would let whoever speaks to
 * it do everything. Returns it without needless blanks. Throws BALANCER_COMMAND_REFUSED.
 */
export function checkCommand(text: string): string {
  const command = text.trim().replaceAll(/[ \t]+/g, " ");
  const reason = refusalOf(command);
  if (reason === undefined) return command;
  throw new PlatformError("BALANCER_COMMAND_REFUSED", {
    command: command.slice(0, 100),
    reason,
    allowed: allowed.map(([name]) => name).join(", "),
  });
}

function refusalOf(command: string): string | undefined {
  if (command === "" || command.length > 1_000) return "it is empty or too long";
  if (/[\p{Cc};\\]|<</u.test(command)) return "one command without ; or \\ is passed at a time";
  if (secretShows.test(command)) return "its answer may hold secrets";
  if (/^show [a-z]/.test(command)) return undefined;
  if (allowed.some(([, pattern]) => pattern.test(command))) return undefined;
  return "it could change what the agent keeps in order";
}
