import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { claimPath } from "../../http/path-claims.ts";
import {
  edgeFields,
  pathField,
  requestFields,
  requireRoleGivers,
  securityField,
} from "../../http/channel-fields.ts";
import { isXmlName } from "../../xml/escape.ts";

const operationName = z.string().max(100).refine(
  isXmlName,
  "The name of an operation is that of an XML element: letters, digits, dots, dashes, underscores",
);

/** Services for clients that speak SOAP. */
export const soapChannel = defineKind({
  kind: "SoapChannel",
  group: "channel",
  description: "Exposes services over SOAP 1.1 and 1.2, described by a WSDL at ?wsdl",
  schema: z.strictObject({
    path: pathField.meta({
      description: "Where the services are; the WSDL is at the same path with ?wsdl",
      example: "/soap/crm",
    }),
    service: z.string().min(1).optional().meta({
      description:
        "The service that is invoked, as one operation with the service's name in PascalCase",
      example: "crm.customer.get",
    }),
    operations: z.record(operationName, z.string().min(1)).optional().meta({
      description: "Operations and the services that they invoke, instead of service",
      example: { GetCustomer: "crm.customer.get" },
    }),
    version: z.enum(["1.1", "1.2", "both"]).default("both").meta({
      description: "Versions of SOAP that are taken; each is answered in its own",
      example: "1.1",
    }),
    style: z.enum(["document", "rpc"]).default("document").meta({
      description: "document: document/literal wrapped; rpc: rpc/literal",
      example: "document",
    }),
    namespace: z.string().min(1).max(500).regex(/^\S+$/, "A namespace has no spaces").optional()
      .meta({
        description: "Namespace of the elements; default: urn:dragoman: and the channel's name",
        example: "urn:example:crm",
      }),
    soapActions: z.record(operationName, z.string().max(500)).optional().meta({
      description: "Actions of operations; default: the namespace, # and the operation's name",
      example: { GetCustomer: "urn:example:crm:get" },
    }),
    answers: z.record(operationName, operationName).optional().meta({
      description: "Names of the elements of answers; default: the operation's and Response",
      example: { GetCustomer: "GetCustomerReply" },
    }),
    understands: z.array(z.string().regex(/^\{[^{}\s]*\}[^{}\s]+$/, "Write {namespace}name"))
      .default([]).meta({
        description:
          "Header elements, as {namespace}name, that the services heed when they must be understood",
        example: ["{urn:example:crm}Tenant"],
      }),
    wsdl: z.enum(["secured", "public", "none"]).default("secured").meta({
      description: "Who may read the WSDL: whom security lets in, everybody, or nobody",
      example: "public",
    }),
    security: securityField,
    ...requestFields,
    ...edgeFields,
    description: z.string().max(1_000).optional().meta({
      description: "What the channel is for, for people; stands in the WSDL",
      example: "Customers for the ERP",
    }),
  }).superRefine(requireRoleGivers).refine(
    ({ service, operations }) => (service === undefined) !== (operations === undefined),
    {
      path: ["service"],
      error: "Say exactly one of service and operations",
    },
  ).refine(({ operations }) => operations === undefined || Object.keys(operations).length > 0, {
    path: ["operations"],
    error: "Name at least one operation",
  }),
  references: [
    { field: "service", to: "Service" },
    { field: "operations", to: "Service" },
    { field: "security", to: "security" },
    { field: "rateLimits", to: { kind: "RateLimit" } },
  ],
  claims: ({ path, wsdl }) =>
    claimPath({ path, methods: wsdl === "none" ? ["POST"] : ["GET", "POST"] }),
});

/** A SoapChannel's spec, validated. */
export type SoapChannelSpec = z.output<typeof soapChannel.schema>;
