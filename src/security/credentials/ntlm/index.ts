import { z } from "zod";
import { defineKind } from "../../../catalog/kind.ts";

export const ntlm = defineKind({
  kind: "Ntlm",
  group: "credential",
  description: "A Windows account that we show other systems (NTLMv2 over HTTP)",
  schema: z.strictObject({
    username: z.string().min(1).max(256).meta({
      description: "The account's name; user@domain goes without a domain",
      example: "svc-dragoman",
    }),
    password: z.string().min(1).max(256).meta({
      description: "The account's password",
      secret: "encrypted",
      example: "${env:ERP_PASSWORD}",
    }),
    domain: z.string().max(256).default("").meta({
      description: "The domain that the account belongs to",
      example: "EXAMPLE",
    }),
    workstation: z.string().max(256).default("").meta({
      description: "The machine that we say we are; most servers do not ask",
      example: "DRAGOMAN",
    }),
  }),
  references: [],
});
