import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { roleList } from "../roles.ts";

const nameFields = z.record(
  z.string().regex(/^([A-Z]{1,20}|\d+(\.\d+)+)$/, "Write CN, O, OU..., or an object identifier"),
  z.string().min(1).max(1_000),
).refine((fields) => Object.keys(fields).length > 0, "Name at least one field");

export const clientCertificate = defineKind({
  kind: "ClientCertificate",
  group: "security",
  description: "A TLS client certificate, checked by the proxy in front and passed on by it",
  schema: z.strictObject({
    subject: nameFields.optional().meta({
      description: "Fields that the certificate's subject must have, all of them",
      example: { CN: "crm-client", O: "Example" },
    }),
    issuer: nameFields.optional().meta({
      description: "Fields that the name of the certificate's issuer must have, all of them",
      example: { CN: "Partners" },
    }),
    alternativeNames: z.array(
      z.string().max(2_000).regex(/^(DNS|URI|IP|email):\S+$/, "Write DNS:, URI:, IP: or email:"),
    ).min(1).max(1_000).optional().meta({
      description: "Subject alternative names of which the certificate must have one",
      example: ["DNS:client.example.com", "URI:spiffe://example/client"],
    }),
    fingerprints: z.array(
      z.string().regex(/^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i, "Write SHA-256 in hexadecimal"),
    ).min(1).max(10_000).optional().meta({
      description: "SHA-256 fingerprints of which the certificate must have one",
      example: ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    }),
    roles: roleList.optional().meta({
      description: "Roles of whoever has the certificate",
      example: ["partner"],
    }),
  }).refine(
    ({ subject, issuer, alternativeNames, fingerprints }) =>
      (subject ?? issuer ?? alternativeNames ?? fingerprints) !== undefined,
    "Say what the certificate must have: subject, issuer, alternativeNames or fingerprints",
  ),
  references: [],
});

/** A ClientCertificate's spec, validated. */
export type ClientCertificateSpec = z.output<typeof clientCertificate.schema>;
