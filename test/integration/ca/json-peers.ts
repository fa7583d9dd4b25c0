import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:tls";
import type { Code } from "../../../src/errors/codes.ts";
import { isPlatformError, PlatformError } from "../../../src/errors/platform-error.ts";
import { poll } from "../../../src/lib/wait.ts";
import { createJsonClient, type JsonClient } from "../../../src/mtls/client.ts";
import { eventStream } from "../../../src/mtls/event-stream.ts";
import type { Identity, Role, TlsMaterial } from "../../../src/mtls/identity.ts";
import type { ApiRequest, Route } from "../../../src/mtls/json-api.ts";
import type { ExpectedPeer } from "../../../src/mtls/peer.ts";
import {
  type JsonServer,
  type JsonServerOptions,
  startJsonServer,
} from "../../../src/mtls/server.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createTestAuthority, type TestAuthority } from "./issued-identities.ts";

export const everyone: readonly Role[] = ["operator", "server", "web-admin", "load-balancer"];

export function identity(role: Role, cluster = "demo"): Identity {
  return { cluster, role, name: `${role}1` };
}

/** What the routes of a test server were asked. */
export interface Seen {
  readonly hits: string[];
  hung: ApiRequest | undefined;
  streamsEnded: number;
}

/** A JSON server of cluster `demo`, an authority, one that nobody trusts, and clients. */
export interface JsonPeers {
  readonly authority: TestAuthority;
  readonly other: TestAuthority;
  readonly serverTls: TlsMaterial;
  readonly operatorTls: TlsMaterial;
  readonly server: JsonServer;
  readonly operator: JsonClient;
  readonly seen: Seen;
  /** What the servers logged. */
  readonly lines: readonly Record<string, unknown>[];
  readonly routes: readonly Route[];
  start(tls: TlsMaterial, more?: Partial<JsonServerOptions>): Promise<JsonServer>;
  /** A client of `server`, or of another one. */
  clientOf(tls: TlsMaterial, to?: JsonServer, expect?: ExpectedPeer): JsonClient;
  /** Sends bytes as the operator; returns everything that comes until the connection ends. */
  raw(text: string, to?: JsonServer): Promise<string>;
  remove(): Promise<void>;
}

export async function startJsonPeers(): Promise<JsonPeers> {
  const [authority, other] = await Promise.all([createTestAuthority(), createTestAuthority()]);
  const serverTls = await authority.issue(identity("server"));
  const operatorTls = await authority.issue(identity("operator"));
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ level: "debug", write: (line) => lines.push(JSON.parse(line)) });
  const seen: Seen = { hits: [], hung: undefined, streamsEnded: 0 };
  const routes = testRoutes(seen);
  const servers: JsonServer[] = [];
  const clients: JsonClient[] = [];
  const start: JsonPeers["start"] = async (tls, more = {}) => {
    const where = { host: "127.0.0.1", port: 0, cluster: "demo", maxBodyBytes: 100_000 };
    const started = await startJsonServer({ ...where, routes, logger, tls, ...more });
    servers.push(started);
    return started;
  };
  const server = await start(serverTls);
  const expected = { cluster: "demo", role: "server" } as const;
  const clientOf: JsonPeers["clientOf"] = (tls, { port } = server, expect = expected) => {
    const client = createJsonClient({ baseUrl: `https://127.0.0.1:${port}`, tls, expect });
    clients.push(client);
    return client;
  };
  const remove = async () => {
    for (const client of clients) client.close();
    await Promise.all(servers.map((one) => one.close()));
    await Promise.all([authority.remove(), other.remove()]);
  };
  const raw = (text: string, to = server) => exchangeBytes(text, to.port, operatorTls);
  const operator = clientOf(operatorTls);
  const made = { authority, other, serverTls, operatorTls, server, operator };
  return { ...made, seen, lines, routes, start, clientOf, raw, remove };
}

/** Asserts that a call fails with `code` and a message that matches `words`. */
export async function assertFails(call: Promise<unknown>, code: Code, words: RegExp) {
  await assert.rejects(call, (error) => {
    assert.ok(isPlatformError(error, code), String(error));
    assert.match(error.message, words);
    return true;
  });
}

/** Waits until `probe` returns something; fails with `what` after 5 s. */
export async function eventually<T>(what: string, probe: () => T | undefined): Promise<T> {
  const found = await poll(probe, { timeoutMs: 5_000, intervalMs: 5 });
  assert.ok(found !== undefined, `${what} did not happen within 5 s`);
  return found;
}

function testRoutes(seen: Seen): readonly Route[] {
  return [
    { method: "GET", path: "/v1/who", roles: everyone, handle: ({ peer }) => peer },
    {
      method: "PUT",
      path: "/v1/echo/:name",
      roles: ["operator"],
      handle: ({ params, query, body }) => ({ params, query: Object.fromEntries(query), body }),
    },
    { method: "DELETE", path: "/v1/echo/:name", roles: ["operator"], handle: () => undefined },
    {
      method: "POST",
      path: "/v1/fail/:how",
      roles: ["operator"],
      handle: ({ params, headers }) => fail(params["how"]!, String(headers["accept"]), seen),
    },
    {
      method: "GET",
      path: "/v1/hang",
      roles: everyone,
      handle(request) {
        seen.hung = request;
        seen.hits.push("hang");
        return once(request.signal, "abort");
      },
    },
    {
      method: "GET",
      path: "/v1/events",
      roles: everyone,
      handle: ({ signal, query }) => eventStream(events(signal, query.has("break"), seen)),
    },
  ];
}

function fail(how: string, accept: string, seen: Seen): never {
  seen.hits.push(how);
  if (how === "bug") throw new TypeError("the hidden reason");
  throw new PlatformError("CA_UNKNOWN_SERIAL", { directory: "d", serial: accept }, {
    details: { n: 1 },
    advice: "Do this",
  });
}

async function* events(signal: AbortSignal, breaks: boolean, seen: Seen) {
  try {
    yield { n: 1 };
    yield { n: 2, text: "two\nlines" };
    if (breaks) throw new PlatformError("MTLS_NO_IDENTITY");
    await once(signal, "abort");
  } finally {
    seen.streamsEnded++;
  }
}

async function exchangeBytes(text: string, port: number, tls: TlsMaterial): Promise<string> {
  const checkServerIdentity = () => undefined;
  const socket = connect({ host: "127.0.0.1", port, ...tls, checkServerIdentity });
  let answer = "";
  socket.on("data", (data) => answer += data);
  socket.on("error", (error) => answer += String(error));
  socket.write(text);
  await once(socket, "close");
  return answer;
}
