import { z } from "zod";
import { defineKind, type StoredObject } from "../../catalog/kind.ts";
import type { ClusterKey } from "../cluster-key.ts";
import { unsealField } from "../secrets.ts";
import type { Credential } from "./credential.ts";

export const basicCredentials = defineKind({
  kind: "BasicCredentials",
  group: "credential",
  description: "A user name and a password that we show other systems, as HTTP Basic",
  schema: z.strictObject({
    username: z.string().min(1).max(1_000).regex(
      /^[^:\p{Cc}]+$/u,
      "A user name has no colon and no control characters",
    ).meta({ description: "The name that is sent", example: "dragoman" }),
    password: z.string().max(1_000).meta({
      description: "The password that is sent",
      secret: "encrypted",
      example: "${env:CRM_PASSWORD}",
    }),
  }),
  references: [],
});

/** Throws SECURITY_*, or a zod error for a broken spec. */
export function openBasicCredentials(
  { kind, name, spec }: StoredObject,
  key: ClusterKey,
): Credential {
  const { username, password } = basicCredentials.schema.parse(spec);
  const clear = unsealField({ kind, name, field: "password" }, password, key);
  const header = `Basic ${Buffer.from(`${username}:${clear}`).toString("base64")}`;
  return { apply: ({ headers }) => headers.set("Authorization", header) };
}
