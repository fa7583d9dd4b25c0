import { X509Certificate } from "node:crypto";
import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { reasonOf } from "../../errors/platform-error.ts";
import { httpConnectionFields } from "../../http/client/connection-fields.ts";
import { choosePort } from "../../soap/wsdl/choose-port.ts";
import { readWsdl } from "../../soap/wsdl/read-wsdl.ts";
import { parseXml } from "../../xml/parse.ts";

const xmlText = z.string().max(100_000).superRefine((text, context) => {
  try {
    parseXml(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: reasonOf(error) });
  }
});

const certificate = z.string().max(1_000_000).refine((text) => {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch {
    return false;
  }
}, "This is not a certificate in PEM");

/** Another system's SOAP services, as services call them. */
export const soapOutgoing = defineKind({
  kind: "SoapOutgoing",
  group: "outgoing",
  description: "Calls another system over SOAP 1.1 or 1.2, as its WSDL says",
  schema: z.strictObject({
    ...httpConnectionFields,
    wsdl: z.string().min(1).max(8_000_000).meta({
      description: "The WSDL 1.1, with everything that it imports; ${file:} reads both",
      example: "${file:erp.wsdl}",
    }),
    service: z.string().min(1).max(200).optional().meta({
      description: "The service of the WSDL; default: the first that speaks SOAP",
      example: "CustomerService",
    }),
    port: z.string().min(1).max(200).optional().meta({
      description: "The port of the WSDL; default: the service's first that speaks SOAP",
      example: "CustomerServiceSoap12",
    }),
    address: httpConnectionFields.address.optional().meta({
      description: "Address, or several of them, of the other side; default: the WSDL's",
      example: ["https://erp.example.com/customers"],
    }),
    retries: httpConnectionFields.retries.prefault({ attempts: 1 }).meta({
      description: "Repeating what was not sent, and idempotent operations; default: never",
      example: { attempts: 3 },
    }),
    idempotent: z.array(z.string().min(1).max(200)).default([]).meta({
      description: "Operations that may be done twice, so that retries hold for them",
      example: ["GetCustomer"],
    }),
    soapHeaders: z.array(xmlText).max(20).default([]).meta({
      description: "Elements in the header of every message, as XML; none that are secret",
      example: ['<Tenant xmlns="urn:example:erp">acme</Tenant>'],
    }),
    wssUsername: z.string().min(1).max(200).optional().meta({
      description: "User name of the WS-Security UsernameToken in every message",
      example: "dragoman",
    }),
    wssPassword: z.string().max(1_000).optional().meta({
      description: "Its password",
      secret: "encrypted",
      example: "${env:ERP_PASSWORD}",
    }),
    wssPasswordType: z.enum(["text", "digest"]).default("digest").meta({
      description: "How the password is sent; text needs TLS",
      example: "digest",
    }),
    wssCertificate: certificate.optional().meta({
      description: "Certificate, in PEM, of the key that signs Body and Timestamp of every message",
      example: "${file:signing.pem}",
    }),
    wssKey: z.string().max(100_000).optional().meta({
      description: "The RSA key of wssCertificate, in PEM",
      secret: "encrypted",
      example: "${file:signing-key.pem}",
    }),
    wssLifetimeMs: z.int().min(1_000).max(86_400_000).default(300_000).meta({
      description: "How long a signed message holds, as its Timestamp says",
      example: 300_000,
    }),
  }).superRefine(({ wsdl, service, port, address, idempotent }, context) => {
    const issue = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    try {
      const chosen = choosePort(readWsdl(wsdl), { service, port });
      if (address === undefined && !/^https?:\/\//.test(chosen.address)) {
        issue("address", "Say an address; the WSDL has none over HTTP");
      }
      const unknown = idempotent.find((name) => !chosen.operations.has(name));
      if (unknown !== undefined) issue("idempotent", `There is no operation "${unknown}"`);
    } catch (error) {
      issue("wsdl", reasonOf(error));
    }
  }).refine(
    ({ wssCertificate, wssKey }) => wssKey === undefined || wssCertificate !== undefined,
    { path: ["wssCertificate"], error: "A wssKey needs its wssCertificate" },
  ),
  references: [{ field: "credential", to: "credential" }],
  canPing: true,
});

/** A SoapOutgoing's spec, validated. */
export type SoapOutgoingSpec = z.output<typeof soapOutgoing.schema>;
