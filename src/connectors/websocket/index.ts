import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { credentialParameter } from "../../security/api-key.ts";
import { edgeFields, pathField, securityField } from "../../http/channel-fields.ts";
import { claimPath } from "../../http/path-claims.ts";
import { roleList } from "../../security/roles.ts";
import { originPattern } from "./origins.ts";
import { topicPattern } from "./topics.ts";

const service = z.string().min(1);

/** Services for clients that stay connected, to whom services can push messages. */
export const webSocketChannel = defineKind({
  kind: "WebSocketChannel",
  group: "channel",
  description: "Exposes services over WebSockets as JSON, and pushes messages to their clients",
  schema: z.strictObject({
    path: pathField.meta({
      description: "Where clients connect; {name} is one segment, {name*} at the end all the rest",
      example: "/chat/{room}",
    }),
    service: service.optional().meta({
      description: "The service that gets every message",
      example: "chat.message",
    }),
    services: z.union([
      z.array(service).min(1).max(1_000),
      z.record(z.string().min(1).max(200), service),
    ]).optional().meta({
      description: "The services that clients may name, as a list, or by names of their own; no " +
        "other service can be reached",
      example: { say: "chat.say", history: "chat.history" },
    }),
    security: securityField.meta({
      description: 'Security definitions of which any one suffices, or "none"',
      example: ["chat-users"],
    }),
    roles: roleList.optional().meta({
      description: "Roles of which a client must have one; others are refused with 403",
      example: ["member"],
    }),
    authTimeoutMs: z.int().min(100).max(600_000).optional().meta({
      description: "Lets clients connect without credentials, as pages in browsers must, and " +
        "send them in their first message within so long; default: only in the handshake",
      example: 5_000,
    }),
    tokenQuery: credentialParameter.optional().meta({
      description: "A query parameter of the handshake that stands for Authorization: Bearer; " +
        "an ApiKey names its parameter itself",
      example: "access_token",
    }),
    origins: z.array(originPattern).min(1).max(100).optional().meta({
      description: "Origins whose pages may connect: https://shop.example.com, " +
        "https://*.example.com or *; default: pages of the host that they connect to",
      example: ["https://shop.example.com"],
    }),
    subprotocols: z.array(
      z.string().max(100).regex(/^[\w!#$%&'*+.^`|~-]+$/, "A subprotocol is one word"),
    ).min(1).max(20).optional().meta({
      description: "Subprotocols that are taken, the first that a client offers; default: none",
      example: ["chat.v1"],
    }),
    topics: z.array(topicPattern).min(1).max(100).optional().meta({
      description: "Topics that clients may join themselves; * stands for any characters; " +
        "default: none",
      example: ["room.*", "news"],
    }),
    authorizeTopic: service.optional().meta({
      description: "The service that is asked before a client joins a topic, with { topic, " +
        "connection }; it refuses by returning false or throwing a ServiceError",
      example: "chat.may-join",
    }),
    onConnect: service.optional().meta({
      description: "The service that is called with { connection } before a client is let in; it " +
        "refuses by throwing a ServiceError, and may return { topics } that the client joins",
      example: "chat.connected",
    }),
    onDisconnect: service.optional().meta({
      description: "The service that is called with { connection, code, reason, topics } when a " +
        "client that was let in has gone; not when its server was lost",
      example: "chat.disconnected",
    }),
    messageBytesMax: z.int().min(1).max(67_108_864).default(262_144).meta({
      description: "Largest message of a client; a larger one ends the connection (1009)",
      unit: "bytes",
      example: 65_536,
    }),
    messagesPerSecond: z.number().positive().max(1_000_000).default(50).meta({
      description: "Messages that a connection may send, twice as many at once after a pause; " +
        "more end it (1008)",
      example: 10,
    }),
    inFlightMax: z.int().min(1).max(10_000).default(16).meta({
      description: "Messages of a connection that are worked on at the same time; others are " +
        "answered with 503",
      example: 4,
    }),
    bufferBytesMax: z.int().min(1_024).max(1_073_741_824).default(4_194_304).meta({
      description: "What may wait for a client that reads too slowly; one that has more waiting " +
        "is dropped (1013)",
      unit: "bytes",
      example: 1_048_576,
    }),
    connectionsMax: z.int().min(1).max(1_000_000).default(10_000).meta({
      description: "Connections of the channel to each worker; others are refused with 503",
      example: 5_000,
    }),
    pingMs: z.int().min(100).max(3_600_000).default(20_000).meta({
      description: "A client that was silent for so long is pinged, and given up when it does " +
        "not answer for as long again",
      example: 20_000,
    }),
    idleMs: z.int().min(100).max(86_400_000).optional().meta({
      description: "Ends connections over which no message went for so long; default: never",
      example: 600_000,
    }),
    timeoutMs: z.int().min(1).max(86_400_000).optional().meta({
      description: "Longest time a message may take; default: the service's own, else the server's",
      example: 5_000,
    }),
    active: z.boolean().default(true).meta({
      description: "Whether the channel is served; its path answers 404 while it is not",
      example: true,
    }),
    ...edgeFields,
    description: z.string().max(1_000).optional().meta({
      description: "What the channel is for, for people",
      example: "The chat of the web shop",
    }),
  }).refine(({ service, services }) => (service === undefined) !== (services === undefined), {
    path: ["service"],
    error: "Say exactly one of service and services",
  }).refine(({ services }) => services === undefined || Object.keys(services).length > 0, {
    path: ["services"],
    error: "Name at least one service",
  }).refine(
    (spec) =>
      spec.security !== "none" ||
      (spec.roles ?? spec.authTimeoutMs ?? spec.tokenQuery) === undefined,
    {
      path: ["security"],
      error: "roles, authTimeoutMs and tokenQuery need a security definition",
    },
  ).refine(({ topics, authorizeTopic }) => topics !== undefined || authorizeTopic === undefined, {
    path: ["authorizeTopic"],
    error: "Without topics, clients may join none",
  }),
  references: [
    { field: "service", to: "Service" },
    { field: "services", to: "Service" },
    { field: "authorizeTopic", to: "Service" },
    { field: "onConnect", to: "Service" },
    { field: "onDisconnect", to: "Service" },
    { field: "security", to: "security" },
    { field: "rateLimits", to: { kind: "RateLimit" } },
  ],
  claims: ({ path }) => claimPath({ path, methods: ["GET"] }),
});

/** A WebSocketChannel's spec, validated. */
export type WebSocketChannelSpec = z.output<typeof webSocketChannel.schema>;
