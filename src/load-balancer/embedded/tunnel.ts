import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawHeaders, relayedHeaders } from "./headers.ts";
import { SilenceWatch } from "./silence-watch.ts";

/** The two ends of an upgraded connection. */
export interface TunnelEnds {
  readonly client: Duplex;
  readonly server: Duplex;
}

/**
 * Tells the client that the protocol changes, then carries bytes both ways until one end closes or
 * both are silent for `idleMs`. Resolves when it is over.
 */
export function openTunnel(
  { client, server }: TunnelEnds,
  answer: IncomingMessage,
  { idleMs, head }: { readonly idleMs: number; readonly head: Buffer },
): Promise<void> {
  const headers = relayedHeaders(answer.rawHeaders);
  headers.push("Connection", "Upgrade", "Upgrade", answer.headers.upgrade ?? "");
  client.write(renderHead(answer, headers));
  if (head.length > 0) client.write(head);
  const watch = new SilenceWatch({ client: idleMs, server: idleMs });
  watch.awaiting("client");
  return new Promise((resolve) => {
    const end = () => {
      watch.stop();
      client.destroy();
      server.destroy();
      resolve();
    };
    watch.onSilence("client", end);
    for (const [from, to] of [[client, server], [server, client]] as const) {
      from.on("data", () => watch.awaiting("client"));
      from.on("error", end).on("close", end);
      from.pipe(to);
    }
  });
}

/**
 * Passes on an answer that refuses the upgrade. The client's socket has no response object any
 * more, so the answer ends with the connection.
 */
export function relayRefusal(client: Duplex, answer: IncomingMessage): Promise<void> {
  const headers = relayedHeaders(answer.rawHeaders);
  headers.push("Connection", "close");
  client.write(renderHead(answer, headers));
  return new Promise((resolve) => {
    const cutOff = () => client.destroy();
    answer.on("error", cutOff);
    answer.on("close", () => {
      if (!answer.complete) cutOff();
    });
    client.on("close", () => {
      answer.destroy();
      resolve();
    });
    answer.pipe(client);
  });
}

function renderHead({ statusCode, statusMessage }: IncomingMessage, headers: RawHeaders): string {
  let head = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return head + "\r\n";
}
