import type { Peer, UpgradeOptions, WebSocketUpgrade } from "../../http/exchange.ts";

export interface HttpEngineOptions {
  readonly host: string;
  readonly port: number;
  /** PEM; absent: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Never rejects. */
  readonly handle: (request: Request, peer: Peer) => Response | Promise<Response>;
}

/** A listening socket. */
export interface HttpEngine {
  /** The port it really listens on. */
  readonly port: number;
  /** Takes no new connections and resolves when the last answer has been sent. */
  close(): Promise<void>;
}

/**
 * Listens for HTTP. Several processes may share the port: the system spreads connections over
 * them. Throws when the port is taken by somebody else. This is the only file that names the
 * runtime's own HTTP server.
 */
export function openHttpEngine({ host, port, tls, handle }: HttpEngineOptions): HttpEngine {
  const server = Deno.serve({
    hostname: host,
    port,
    reusePort: true,
    ...tls,
    onListen: () => {},
  }, (request, info) => handle(request, info as Peer)); // TCP: the address is an IP address
  return {
    port: server.addr.port,
    close: () => server.shutdown(),
  };
}

/** Turns a request into a WebSocket. Throws a TypeError when it is no WebSocket handshake. */
export function upgradeWebSocket(request: Request, options?: UpgradeOptions): WebSocketUpgrade {
  return Deno.upgradeWebSocket(request, options);
}
