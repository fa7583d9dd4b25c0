import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { describeIssues } from "../../../src/config/yaml-source.ts";
import { PlatformError, reasonOf } from "../../../src/errors/platform-error.ts";
import type { Session } from "../sessions.ts";

/** Most of what people send here is as short as a login. */
const bodyBytesDefault = 16 * 1024;

/**
 * Refuses what another site made the browser send: a changing request must name our own origin.
 * `SameSite=Strict` says the same; this holds for browsers that forget it, and for login.
 * Throws WEB_ADMIN_CROSS_SITE.
 */
export function checkOrigin({ headers }: IncomingMessage): void {
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin") {
    throw crossSite(`it comes from another site (Sec-Fetch-Site: ${String(site)})`);
  }
  const { origin, host } = headers;
  if (origin === undefined) throw crossSite("it has no Origin header");
  if (!URL.canParse(origin) || new URL(origin).host !== host) {
    throw crossSite(`its Origin "${origin}" is not this console's`);
  }
}

/** Throws WEB_ADMIN_CROSS_SITE unless the request repeats its session's CSRF token. */
export function checkCsrf({ headers }: IncomingMessage, session: Session): void {
  const given = Buffer.from(String(headers["x-dragoman-csrf"] ?? ""));
  const wanted = Buffer.from(session.csrfToken);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw crossSite("its X-Dragoman-Csrf header is not that of the session");
  }
}

/** Reads a JSON body, by default of at most 16 KiB, that fits `schema`; throws WEB_ADMIN_BODY_*. */
export async function readJson<S extends z.ZodType>(
  request: IncomingMessage,
  schema: S,
  { bytesMax = bodyBytesDefault }: { readonly bytesMax?: number } = {},
): Promise<z.output<S>> {
  // No form can send this type, so another site's form cannot post here at all.
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
    throw new PlatformError("WEB_ADMIN_BODY_INVALID", { reason: "it must be application/json" });
  }
  const text = await readText(request, bytesMax);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { name } = error instanceof Error ? error : { name: reasonOf(error) };
    // The parser's own words quote the body, which holds a password.
    throw new PlatformError("WEB_ADMIN_BODY_INVALID", { reason: `it is not JSON (${name})` });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const reason = describeIssues(result.error, schema).map((issue) => issue.reason).join("; ");
  throw new PlatformError("WEB_ADMIN_BODY_INVALID", { reason });
}

/** The caller's address, for the log and for counting tries. */
export function addressOf(request: IncomingMessage, behindTls: boolean): string {
  const forwarded = String(request.headers["x-forwarded-for"] ?? "").split(",").at(-1)?.trim();
  // Only the proxy that ends TLS is believed, and only the address that it appended itself.
  if (behindTls && forwarded) return forwarded;
  return request.socket.remoteAddress ?? "";
}

/** The value of one cookie. */
export function cookieOf({ headers }: IncomingMessage, name: string): string | undefined {
  for (const part of (headers.cookie ?? "").split(";")) {
    const [key, value] = part.trim().split("=", 2);
    if (key === name) return value;
  }
  return undefined;
}

function readText(request: IncomingMessage, bytesMax: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    request.on("data", (chunk: Uint8Array) => {
      size += chunk.length;
      // The rest is read and dropped: hanging up at once would lose the answer.
      if (size <= bytesMax) chunks.push(chunk);
      else reject(new PlatformError("WEB_ADMIN_BODY_TOO_LARGE", { limit: bytesMax }));
      if (size > bytesMax * 64) request.destroy();
    });
    request.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.once("error", reject);
    request.once("close", () => reject(new Error("The caller hung up")));
  });
}

function crossSite(reason: string): PlatformError {
  return new PlatformError("WEB_ADMIN_CROSS_SITE", { reason });
}
