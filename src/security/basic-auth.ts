import { z } from "zod";
import { defineKind } from "../catalog/kind.ts";
import { roleList } from "./roles.ts";

export const basicAuth = defineKind({
  kind: "BasicAuth",
  group: "security",
  description: "A user name and a password, sent by clients as HTTP Basic authentication",
  schema: z.strictObject({
    username: z.string().min(1).max(200).regex(
      /^[^:\p{Cc}]+$/u,
      "A user name has no colon and no control characters",
    ).meta({ description: "The name that clients send", example: "crm-client" }),
    password: z.string().min(1).max(1_000).meta({
      description: "The password that clients send",
      secret: "password",
      example: "${env:CRM_PASSWORD}",
    }),
    realm: z.string().min(1).max(200).regex(
      /^[^"\\\p{Cc}]+$/u,
      'A realm has no ", no \\ and no control characters',
    ).default("dragoman").meta({
      description: "What clients that ask a person for the password show",
      example: "CRM",
    }),
    roles: roleList.optional().meta({
      description: "Roles of whoever sends the password",
      example: ["reader"],
    }),
  }),
  references: [],
});
