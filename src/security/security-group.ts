import { z } from "zod";
import { defineKind, type NamedSpec } from "../catalog/kind.ts";
import { roleList } from "./roles.ts";

export const securityGroup = defineKind({
  kind: "SecurityGroup",
  group: "security",
  description: "Security definitions under one name: whoever one of them lets in is let in",
  schema: z.strictObject({
    members: z.array(z.string().min(1)).min(1).max(100_000).refine(
      (names) => !names.includes("none"),
      'A group cannot hold "none"',
    ).meta({
      description: "Names of security definitions, and of other groups",
      example: ["crm-key", "partners"],
    }),
    roles: roleList.optional().meta({
      description: "Roles that everyone has who is let in through this group",
      example: ["partner"],
    }),
  }),
  references: [{ field: "members", to: "security" }],
  conflict: findCycle,
});

function findCycle(
  spec: { readonly members: readonly string[] },
  others: readonly NamedSpec[],
  name: string,
): string | undefined {
  const groups = new Map(others.map((other) => [other.name, other.spec["members"]]));
  const reached = new Set<string>();
  const open = [...spec.members];
  for (let member = open.pop(); member !== undefined; member = open.pop()) {
    if (member === name) return `The group "${name}" would contain itself`;
    if (reached.has(member)) continue;
    reached.add(member);
    const members = groups.get(member);
    if (Array.isArray(members)) open.push(...members);
  }
  return undefined;
}
