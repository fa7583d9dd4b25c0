import { CommandError, syntaxError } from "../../command-error.ts";

/** What stands between a ZADD's key and its first score. */
export interface AddOptions {
  /** NX: only new members; XX: only members that are there. */
  readonly condition: "NX" | "XX" | undefined;
  /** GT: scores only rise; LT: they only fall. New members are added all the same. */
  readonly compare: "GT" | "LT" | undefined;
  readonly countChanged: boolean;
  readonly increment: boolean;
  /** Position of the first score. */
  readonly pairsFrom: number;
}

export function parseAddOptions(args: readonly string[]): AddOptions {
  const found = new Set<string>();
  let at = 2;
  for (; at < args.length; at++) {
    const option = args[at]!.toUpperCase();
    if (!["NX", "XX", "GT", "LT", "CH", "INCR"].includes(option)) break;
    found.add(option);
  }
  const count = args.length - at;
  if (count === 0 || count % 2 === 1) throw new CommandError(syntaxError);
  checkTogether(found);
  if (found.has("INCR") && count > 2) {
    throw new CommandError("ERR INCR option supports a single increment-element pair");
  }
  return {
    condition: found.has("NX") ? "NX" : found.has("XX") ? "XX" : undefined,
    compare: found.has("GT") ? "GT" : found.has("LT") ? "LT" : undefined,
    countChanged: found.has("CH"),
    increment: found.has("INCR"),
    pairsFrom: at,
  };
}

function checkTogether(found: ReadonlySet<string>): void {
  if (found.has("NX") && found.has("XX")) {
    throw new CommandError("ERR XX and NX options at the same time are not compatible");
  }
  if (["NX", "GT", "LT"].filter((option) => found.has(option)).length > 1) {
    throw new CommandError("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
}
