import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { roleList } from "../roles.ts";
import { parseCertificates } from "./certificates.ts";

/** Who sends a SOAP message, by what stands in its Security header. */
export const wsSecurity = defineKind({
  kind: "WsSecurity",
  group: "security",
  description: "WS-Security in SOAP messages: a UsernameToken, an X.509 signature, or both",
  schema: z.strictObject({
    username: z.string().min(1).max(200).optional().meta({
      description: "The name in the UsernameToken; absent: none is asked for",
      example: "erp",
    }),
    password: z.string().min(1).max(1_000).optional().meta({
      description: "The password of the UsernameToken; digests need it in clear",
      secret: "encrypted",
      example: "${env:ERP_PASSWORD}",
    }),
    passwordType: z.enum(["any", "digest", "text"]).default("any").meta({
      description: "How the password may be sent",
      example: "digest",
    }),
    certificates: z.string().max(1_000_000).superRefine((text, context) => {
      if (parseCertificates(text).length > 0) return;
      context.addIssue({ code: "custom", message: "This is not a certificate in PEM" });
    }).optional().meta({
      description: "Certificates, in PEM, whose keys sign; absent: no signature is asked for",
      example: "${file:erp.pem}",
    }),
    trust: z.enum(["pinned", "issuer"]).default("pinned").meta({
      description: "pinned: one of certificates signs; issuer: a certificate that they issued",
      example: "pinned",
    }),
    allowSha1: z.boolean().default(false).meta({
      description: "Whether signatures may use SHA-1, which is broken",
      example: false,
    }),
    requireTimestamp: z.boolean().default(true).meta({
      description: "Whether signatures need a signed Timestamp; without one, they hold for ever",
      example: true,
    }),
    freshnessMs: z.int().min(1_000).max(86_400_000).default(300_000).meta({
      description: "How old a message may be, by its Created; no digest is taken twice within it",
      example: 300_000,
    }),
    clockSkewMs: z.int().min(0).max(3_600_000).default(60_000).meta({
      description: "How far the clocks of both sides may be apart",
      example: 60_000,
    }),
    roles: roleList.optional().meta({
      description: "Roles of whoever sends such messages",
      example: ["reader"],
    }),
  }).refine(({ username, certificates }) => username !== undefined || certificates !== undefined, {
    path: ["username"],
    error: "Say username and password, or certificates, or both",
  }),
  references: [],
});

/** A WsSecurity's spec, validated. */
export type WsSecuritySpec = z.output<typeof wsSecurity.schema>;
