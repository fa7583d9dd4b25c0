import { PlatformError } from "../../errors/platform-error.ts";

/** What the platform's own routes tell of a process. */
export interface SystemState {
  /** Why it takes no traffic; undefined when it does. */
  readonly notReady: string | undefined;
  /** The server's name, where clients may know it. */
  readonly server: string | undefined;
}

const prefix = "/dragoman/";

export function isSystemPath(path: string): boolean {
  return path.startsWith(prefix);
}

/**
 * Answers `livez` (the event loop turns), `readyz` (configured and not draining) and `ping`.
 * Throws REQUEST_NOT_READY, REQUEST_METHOD and REQUEST_NO_CHANNEL.
 */
export function systemAnswer(
  { method, path }: { readonly method: string; readonly path: string },
  { notReady, server }: SystemState,
): unknown {
  const name = path.slice(prefix.length);
  if (name !== "livez" && name !== "readyz" && name !== "ping") {
    throw new PlatformError("REQUEST_NO_CHANNEL");
  }
  if (method !== "GET" && method !== "HEAD") throw new PlatformError("REQUEST_METHOD", { method });
  if (name === "livez") return { status: "alive" };
  if (name === "ping") return { pong: "dragoman", ...(server === undefined ? {} : { server }) };
  if (notReady !== undefined) throw new PlatformError("REQUEST_NOT_READY", { reason: notReady });
  return { status: "ready" };
}
