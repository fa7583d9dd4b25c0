import { Agent } from "node:https";
import type { z } from "zod";
import { PlatformError } from "../errors/platform-error.ts";
import { type Agents, exchange } from "./client-exchange.ts";
import type { Target } from "./client-request.ts";
import type { TlsMaterial } from "./identity.ts";
import type { Method } from "./json-api.ts";
import { type ExpectedPeer, refusalOf } from "./peer.ts";

export interface JsonClientOptions {
  /** `https://host:port`; a host name need not be in the server's certificate. */
  readonly baseUrl: string;
  readonly tls: TlsMaterial;
  /** Who must be at the other end, proven by certificate. */
  readonly expect: ExpectedPeer;
  /** For a whole call. Default 10,000. */
  readonly timeoutMs?: number;
}

export interface CallOptions<T> {
  readonly signal?: AbortSignal;
  /** Default: the client's. */
  readonly timeoutMs?: number;
  /** Besides those that every call has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Checks the answer; without it the answer is taken to be what the caller says. */
  readonly schema?: z.ZodType<T>;
}

/**
 * Calls a JSON server. Problems that it answers are thrown as the errors they were there; besides
 * MTLS_UNREACHABLE, MTLS_TIMEOUT, MTLS_UNTRUSTED, MTLS_BAD_ANSWER, or the reason of `signal`.
 * GET, PUT and DELETE may reach the server twice when a kept connection breaks; POST never does.
 */
export interface JsonClient {
  get<T>(path: string, options?: CallOptions<T>): Promise<T>;
  put<T>(path: string, body?: unknown, options?: CallOptions<T>): Promise<T>;
  post<T>(path: string, body?: unknown, options?: CallOptions<T>): Promise<T>;
  delete<T>(path: string, options?: CallOptions<T>): Promise<T>;
  /** Ends its connections; calls in flight and later ones fail with MTLS_UNREACHABLE. */
  close(): void;
}

/** Cheap: connects with the first call. Throws MTLS_INVALID_ADDRESS. */
export function createJsonClient(options: JsonClientOptions): JsonClient {
  const { tls: { cert, key, ca }, expect, timeoutMs = 10_000 } = options;
  const base = parseAddress(options.baseUrl);
  const identityCheck = {
    cert,
    key,
    ca,
    minVersion: "TLSv1.2",
    // In place of the check of host names. It must not throw: that would end the process.
    checkServerIdentity: (_host: string, certificate: Parameters<typeof refusalOf>[0]) => {
      const reason = refusalOf(certificate, expect);
      if (reason === undefined) return undefined;
      return new PlatformError("MTLS_UNTRUSTED", { address: base.origin, reason });
    },
  } as const;
  const agents: Agents = {
    kept: new Agent({ ...identityCheck, keepAlive: true }),
    single: new Agent({ ...identityCheck, keepAlive: false, maxCachedSessions: 0 }),
  };
  const prefix = base.pathname.replace(/\/$/, "");
  const target: Target = { origin: base.origin, prefix, ownCert: cert };
  const closed = new AbortController();
  const call = <T>(method: Method, path: string, more: CallOptions<T> & { body?: unknown } = {}) =>
    exchange(target, agents, {
      method,
      path,
      timeoutMs,
      ...more,
      signal: AbortSignal.any([closed.signal, ...(more.signal === undefined ? [] : [more.signal])]),
    });
  return {
    get: (path, more) => call("GET", path, more),
    put: (path, body, more) => call("PUT", path, { ...more, body }),
    post: (path, body, more) => call("POST", path, { ...more, body }),
    delete: (path, more) => call("DELETE", path, more),
    close: () => {
      const params = { address: base.origin, reason: "this side has closed its client" };
      closed.abort(new PlatformError("MTLS_UNREACHABLE", params));
      agents.kept.destroy();
      agents.single.destroy();
    },
  };
}

function parseAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === "https:" && url.username === "" && url.password === "") return url;
  // An address that cannot be read may hold a password.
  const shown = address.replace(/\/\/[^/]*@/, "//***@");
  throw new PlatformError("MTLS_INVALID_ADDRESS", { address: shown });
}
