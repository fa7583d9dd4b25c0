import { z } from "zod";
import { PlatformError, reasonOf } from "../../../errors/platform-error.ts";
import { type JsonReply, requestJson } from "../../json-request.ts";
import type { OauthClientSpec } from "./index.ts";

/** What a token endpoint is asked with, secrets in clear. */
export interface TokenRequest {
  readonly name: string;
  readonly spec: OauthClientSpec;
  readonly clientSecret: string | undefined;
  readonly refreshToken: string | undefined;
}

/** What it answered. */
export interface TokenReply {
  readonly accessToken: string;
  /** Undefined when it does not say. */
  readonly expiresInSeconds: number | undefined;
  /** A refresh token that replaces the one that was used. */
  readonly refreshToken: string | undefined;
}

// RFC 6749, 5.1. Some servers write the number as a text.
const replySchema = z.object({
  access_token: z.string().min(1).regex(/^[\x21-\x7e]+$/),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.coerce.number().nonnegative().optional(),
  refresh_token: z.string().min(1).optional(),
});

/** The error codes of RFC 6749, 5.2: the only words of a refusal that are safe to quote. */
const refusalSchema = z.object({
  error: z.string().regex(/^[a-z_]{1,50}$/),
});

/**
 * Fetches a token. Rejects with SECURITY_TOKEN_UNREACHABLE (worth a retry) and
 * SECURITY_TOKEN_REFUSED.
 */
export async function fetchToken(request: TokenRequest): Promise<TokenReply> {
  const { name, spec } = request;
  const reply = await ask(request);
  if (reply.status >= 500 || reply.status === 429) {
    throw new PlatformError("SECURITY_TOKEN_UNREACHABLE", {
      name,
      reason: `it answered ${reply.status}`,
    });
  }
  const { success, data } = replySchema.safeParse(reply.json);
  if (reply.status !== 200 || !success) {
    const error = refusalSchema.safeParse(reply.json).data?.error;
    const words = error === undefined ? "" : ` (${error})`;
    const reason = reply.status === 200
      ? "it answered with something that is no bearer token"
      : `it answered ${reply.status}${words} to the grant ${spec.grant}`;
    throw new PlatformError("SECURITY_TOKEN_REFUSED", { name, reason });
  }
  return {
    accessToken: data.access_token,
    expiresInSeconds: data.expires_in,
    refreshToken: data.refresh_token,
  };
}

async function ask(request: TokenRequest): Promise<JsonReply> {
  const { name, spec } = request;
  const { tokenUrl, tlsCa, timeoutMs } = spec;
  const { headers, form } = tokenForm(request);
  try {
    return await requestJson({
      url: tokenUrl,
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
      body: form.toString(),
      ca: tlsCa,
      timeoutMs,
    });
  } catch (error) {
    throw new PlatformError("SECURITY_TOKEN_UNREACHABLE", { name, reason: reasonOf(error) }, {
      cause: error,
    });
  }
}

function tokenForm({ spec, clientSecret, refreshToken }: TokenRequest) {
  const { grant, clientId, clientAuthentication, scopes, audience, parameters } = spec;
  const form = new URLSearchParams({ ...parameters, grant_type: grant });
  if (grant === "refresh_token" && refreshToken !== undefined) {
    form.set("refresh_token", refreshToken);
  }
  if (scopes !== undefined) form.set("scope", scopes.join(" "));
  if (audience !== undefined) form.set("audience", audience);
  const headers: Record<string, string> = {};
  if (clientSecret !== undefined && clientAuthentication === "basic") {
    headers["Authorization"] = basicHeader(clientId, clientSecret);
  } else {
    form.set("client_id", clientId);
    if (clientSecret !== undefined) form.set("client_secret", clientSecret);
  }
  return { headers, form };
}

/** RFC 6749, 2.3.1: both parts are form-encoded first. */
function basicHeader(clientId: string, secret: string): string {
  const encode = (text: string) => new URLSearchParams({ a: text }).toString().slice(2);
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString("base64")}`;
}
