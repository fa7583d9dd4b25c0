import { z } from "zod";

const role = z.string().min(1).max(200).regex(
  /^[^\s\p{Cc}]+$/u,
  "A role has no spaces and no control characters",
);

/** A list of role names, as definitions give them and channels ask for them. */
export const roleList = z.array(role).min(1).max(1_000);

/** The roles that a definition gives to whoever it lets in; none for a broken list. */
export function rolesOf(spec: Readonly<Record<string, unknown>>): readonly string[] {
  return roleList.safeParse(spec["roles"]).data ?? [];
}
