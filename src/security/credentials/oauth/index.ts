import { z } from "zod";
import { defineKind } from "../../../catalog/kind.ts";
import { certificateAuthorities, secureUrl } from "../../https-fields.ts";

/** Parameters of a token request that have fields of their own. */
const ownParameters = new Set([
  "grant_type",
  "client_id",
  "client_secret",
  "refresh_token",
  "scope",
  "audience",
]);

export const oauthClient = defineKind({
  kind: "OAuthClient",
  group: "credential",
  description: "Access tokens that we fetch (OAuth 2.0) and show other systems",
  schema: z.strictObject({
    tokenUrl: secureUrl.meta({
      description: "The authorization server's token endpoint",
      example: "https://login.example.com/oauth2/token",
    }),
    grant: z.enum(["client_credentials", "refresh_token"]).default("client_credentials").meta({
      description: "What tokens are asked for with",
      example: "client_credentials",
    }),
    clientId: z.string().min(1).max(1_000).meta({
      description: "Who we are to the authorization server",
      example: "dragoman",
    }),
    clientSecret: z.string().min(1).max(10_000).optional().meta({
      description: "The secret that proves it",
      secret: "encrypted",
      example: "${env:OAUTH_SECRET}",
    }),
    refreshToken: z.string().min(1).max(10_000).optional().meta({
      description: "The token of the grant refresh_token; it must stay valid when it is used",
      secret: "encrypted",
      example: "${env:OAUTH_REFRESH_TOKEN}",
    }),
    clientAuthentication: z.enum(["basic", "post"]).default("basic").meta({
      description: "Whether the client's secret is sent as HTTP Basic or in the form",
      example: "basic",
    }),
    scopes: z.array(z.string().min(1).max(500).regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)).max(100)
      .optional().meta({ description: "Scopes that are asked for", example: ["orders.read"] }),
    audience: z.string().min(1).max(2_000).optional().meta({
      description: "What the token is for, where the authorization server wants to know",
      example: "https://api.example.com",
    }),
    parameters: z.record(
      z.string().min(1).max(100).refine(
        (name) => !ownParameters.has(name),
        "This parameter has a field of its own",
      ),
      z.string().max(10_000),
    ).optional().meta({
      description: "Further parameters of the token request; not for secrets",
      example: { resource: "https://api.example.com" },
    }),
    marginSeconds: z.int().min(0).max(3_600).default(30).meta({
      description: "How long before it expires a token is replaced",
      example: 30,
    }),
    defaultExpirySeconds: z.int().min(1).max(86_400).default(300).meta({
      description: "How long a token is used of which the server does not say when it expires",
      example: 300,
    }),
    timeoutMs: z.int().min(100).max(120_000).default(10_000).meta({
      description: "Longest time that fetching a token may take",
      example: 10_000,
    }),
    tlsCa: certificateAuthorities.optional().meta({
      description: "Authorities that the address is checked against, instead of the system's",
      example: "${file:ca.pem}",
    }),
  }),
  references: [],
  conflict({ grant, clientSecret, refreshToken }) {
    if (grant === "refresh_token") {
      return refreshToken === undefined
        ? "The grant refresh_token needs a refreshToken"
        : undefined;
    }
    return clientSecret === undefined
      ? "The grant client_credentials needs a clientSecret"
      : undefined;
  },
});

/** An OAuthClient's spec, validated. */
export type OauthClientSpec = z.output<typeof oauthClient.schema>;
