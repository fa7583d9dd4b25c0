import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import type { Socket } from "node:net";
import { PlatformError } from "../../errors/platform-error.ts";
import { refusalOf } from "../../mtls/peer.ts";
import { renderAddress } from "../address.ts";
import type { BackendServer } from "../engine.ts";

/** Whom servers that speak TLS must be. */
export interface HopTrust {
  readonly cluster: string;
  /** PEM; undefined: none of them is believed. */
  readonly clusterCa: string | undefined;
}

/** How requests get to one server. */
export interface Hop {
  readonly request: typeof plainRequest;
  /** Connections that are kept open between requests. */
  readonly agent: PlainAgent;
  /** For a request on a connection of its own. */
  openAgent(): PlainAgent;
  /** Calls back once, when nothing of a request can have been sent before. */
  whenReady(socket: Socket, begin: () => void): void;
}

const keep = { keepAlive: true, maxFreeSockets: 256 };

export function createHop(server: BackendServer, trust: HopTrust): Hop {
  return server.tls === true ? createTlsHop(server, trust) : createPlainHop();
}

function createPlainHop(): Hop {
  return {
    request: plainRequest,
    agent: new PlainAgent(keep),
    openAgent: () => new PlainAgent(),
    whenReady: (socket, begin) => {
      if (socket.connecting) socket.once("connect", begin);
      else begin();
    },
  };
}

function createTlsHop({ name, host, port }: BackendServer, trust: HopTrust): Hop {
  const expected = { cluster: trust.cluster, role: "server", name } as const;
  const options = {
    // An empty list would mean: whom the system trusts.
    ca: trust.clusterCa ?? "",
    minVersion: "TLSv1.2",
    // In place of the check of host names. It must not throw: that would end the process.
    checkServerIdentity: (_host: string, certificate: Parameters<typeof refusalOf>[0]) => {
      const reason = refusalOf(certificate, expected);
      if (reason === undefined) return undefined;
      return new PlatformError("MTLS_UNTRUSTED", { address: renderAddress(host, port), reason });
    },
  } as const;
  const ready = new WeakSet<Socket>();
  return {
    request: tlsRequest,
    agent: new TlsAgent({ ...options, ...keep }),
    openAgent: () => new TlsAgent({ ...options, maxCachedSessions: 0 }),
    whenReady: (socket, begin) => {
      if (ready.has(socket)) return begin();
      socket.once("secureConnect", () => {
        ready.add(socket);
        begin();
      });
    },
  };
}
