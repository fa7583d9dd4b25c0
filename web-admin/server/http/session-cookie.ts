import type { IncomingMessage } from "node:http";
import { cookieOf } from "./request-checks.ts";

/** How the session's token travels. */
export interface SessionCookie {
  read(request: IncomingMessage): string | undefined;
  /** The value of `Set-Cookie`. */
  render(token: string): string;
  /** The value of `Set-Cookie` that makes the browser forget it. */
  renderGone(): string;
}

/**
 * The cookie of a console: HttpOnly, SameSite=Strict, gone with the browser, and Secure with the
 * `__Host-` promise when TLS ends in front of it. Browsers share cookies between the ports of a
 * host, so its name has the port: two consoles on one machine do not log each other out.
 */
export function createSessionCookie(
  { port, behindTls }: { readonly port: number; readonly behindTls: boolean },
): SessionCookie {
  const name = `${behindTls ? "__Host-" : ""}dragoman-session-${port}`;
  const attributes = `Path=/; HttpOnly; SameSite=Strict${behindTls ? "; Secure" : ""}`;
  return {
    read: (request) => cookieOf(request, name),
    render: (token) => `${name}=${token}; ${attributes}`,
    renderGone: () => `${name}=; ${attributes}; Max-Age=0`,
  };
}
