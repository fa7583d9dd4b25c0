import type { ErrorCode } from "../error-code.ts";

export const channelCodes = {
  CHANNEL_UNUSABLE: {
    kind: "input",
    status: 400,
    message: "{reason}",
  },
  // WebSocket channels, and pushing to their clients.
  SOCKET_UPGRADE_REQUIRED: {
    kind: "input",
    status: 426,
    message: "This path takes WebSocket connections only",
    advice: "Connect with a WebSocket client, version 13",
  },
  SOCKET_ORIGIN: {
    kind: "input",
    status: 403,
    message: "Pages of this origin may not connect to this channel",
    advice: "Add the page's origin to the channel's origins",
  },
  SOCKET_SUBPROTOCOL: {
    kind: "input",
    status: 400,
    message: "This channel takes none of the subprotocols that the client offers",
    advice: "Offer one of: {subprotocols}",
  },
  SOCKET_FULL: {
    kind: "state",
    status: 503,
    message: "This channel has as many connections as it takes",
    advice: "Try again as soon as the Retry-After header says",
  },
  SOCKET_BUSY: {
    kind: "state",
    status: 503,
    message: "{inFlightMax} messages of this connection are being worked on already",
    advice: "Wait for an answer before you send the next message",
  },
  SOCKET_SERVICE_UNKNOWN: {
    kind: "input",
    status: 404,
    message: 'This channel has no service "{name}"',
    advice: "Name one of the channel's services",
  },
  SOCKET_TOPIC_REFUSED: {
    kind: "input",
    status: 403,
    message: "This topic cannot be joined",
    advice: "Join a topic that the channel allows",
  },
  SOCKET_TOPICS_MAX: {
    kind: "input",
    status: 409,
    message: "This connection has joined {limit} topics, and cannot join more",
    advice: "Leave a topic first",
  },
  SOCKET_PUSH_NONE: {
    kind: "state",
    status: 503,
    message: 'Nothing can be pushed to the WebSocket channel "{channel}" on this server',
    advice: "Create the WebSocketChannel, and check that the server brought it to life",
  },
} as const satisfies Record<string, ErrorCode>;
