import type { Call } from "../command.ts";
import { integer, zero } from "../replies.ts";

/** Takes the named members or fields out of a hash, set or sorted set; replies how many were there. */
export function removeMembers({ args, db }: Call, type: "hash" | "set" | "zset"): string {
  const key = args[1]!;
  const members = db.find(key, type);
  if (members === undefined) return zero;
  let removed = 0;
  for (const member of args.slice(2)) if (members.delete(member)) removed++;
  if (removed > 0) db.altered(key);
  return integer(removed);
}
