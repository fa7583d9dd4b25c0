import { PlatformError } from "../../errors/platform-error.ts";
import { defaultKeyHeader } from "../../security/api-key.ts";
import type { SecurityRequest } from "../../security/authenticator.ts";
import type { Guard } from "../../security/guard.ts";
import type { Principal } from "../../security/principal.ts";
import { malformed } from "./message.ts";

/** Who may connect. */
export interface Admission {
  readonly guard: Guard;
  readonly roles: readonly string[] | undefined;
}

/** Rejects with REQUEST_UNAUTHORIZED, REQUEST_FORBIDDEN and what the guard throws. */
export async function authenticate(
  { guard, roles }: Admission,
  request: SecurityRequest,
): Promise<Principal> {
  const principal = await guard.check(request);
  if (principal === undefined) throw new PlatformError("REQUEST_UNAUTHORIZED");
  if (roles !== undefined && !roles.some((role) => principal.roles.includes(role))) {
    throw new PlatformError("REQUEST_FORBIDDEN");
  }
  return principal;
}

/** The same request, with a token of its query where browsers cannot set a header. */
export function withQueryToken(request: SecurityRequest, name: string): SecurityRequest {
  const token = request.query(name);
  if (token === undefined) return request;
  const headers = new Headers(request.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return {
    headers,
    remoteAddress: request.remoteAddress,
    query: (other) => request.query(other),
    clientCertificate: () => request.clientCertificate(),
  };
}

/**
 * The credentials of an `authenticate` message, in the places where security definitions look for
 * them: `token` (Authorization: Bearer), `username` and `password` (Basic), `apiKey` (X-API-Key,
 * and the query parameters of ApiKey definitions), or `headers` for any other place. Throws
 * REQUEST_MALFORMED.
 */
export function messageCredentials(
  members: Readonly<Record<string, unknown>>,
  remoteAddress: string,
): SecurityRequest {
  const { apiKey } = members;
  const headers = new Headers();
  for (const [name, value] of credentialHeaders(members)) {
    try {
      headers.set(name, value);
    } catch {
      throw malformed("A credential has characters that no header may have"); // it is not quoted
    }
  }
  return {
    headers,
    remoteAddress,
    query: () => typeof apiKey === "string" ? apiKey : undefined,
    clientCertificate: () => undefined,
  };
}

function credentialHeaders(members: Readonly<Record<string, unknown>>): [string, string][] {
  const found: [string, string][] = [];
  const { token, apiKey, username, password, headers } = members;
  if (typeof headers === "object" && headers !== null) {
    for (const [name, value] of Object.entries(headers)) {
      if (typeof value !== "string") throw malformed("headers is an object of texts");
      found.push([name, value]);
    }
  }
  if (typeof apiKey === "string") found.push([defaultKeyHeader, apiKey]);
  if (typeof token === "string") found.push(["Authorization", `Bearer ${token}`]);
  if (typeof username === "string" && typeof password === "string") {
    const pair = Buffer.from(`${username}:${password}`).toString("base64");
    found.push(["Authorization", `Basic ${pair}`]);
  }
  if (found.length > 0) return found;
  throw malformed("Give token, apiKey, username and password, or headers");
}
