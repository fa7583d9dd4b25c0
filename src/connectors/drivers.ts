import type { HttpChannelDriver, OutgoingDriver } from "./contract.ts";

// Each is loaded when the first object of its kind comes, so that nobody pays for the others.

/** What serves the channels over HTTP, by kind. */
export const httpChannelDrivers: ReadonlyMap<string, () => Promise<HttpChannelDriver>> = new Map([
  ["RestChannel", () => import("./rest/channel.ts").then(({ driver }) => driver)],
  ["SoapChannel", () => import("./soap/channel.ts").then(({ driver }) => driver)],
  ["WebSocketChannel", () => import("./websocket/channel.ts").then(({ driver }) => driver)],
]);

/** What opens outgoing connections, by kind. */
export const outgoingDrivers: ReadonlyMap<string, () => Promise<OutgoingDriver>> = new Map([
  ["RestOutgoing", () => import("./rest-outgoing/outgoing.ts").then(({ driver }) => driver)],
  ["SoapOutgoing", () => import("./soap-outgoing/outgoing.ts").then(({ driver }) => driver)],
]);
