import { lstat, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { sha256Hex } from "../../lib/canonical-json.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { RuntimeFiles } from "./model.ts";

/**
 * A socket's path may have 107 bytes, and HAProxy first binds beside it under a longer name (the
 * path, its pid and `.tmp`).
 */
const socketPathBytesMax = 90;

/**
 * Where the control socket goes: `run/` itself, or, when its path is too long for a socket or has
 * characters that a configuration file would have to quote, a private directory under the
 * system's temporary one that is the same at every start. Throws BALANCER_SOCKET_PATH.
 */
export async function openRuntimeFiles(
  runDirectory: string,
  { logger }: { readonly logger: Logger },
): Promise<RuntimeFiles> {
  if (isUsable(runDirectory)) return runtimeFiles(runDirectory);
  const uid = process.getuid?.() ?? 0;
  const name = `dragoman-${uid}-${sha256Hex(runDirectory).slice(0, 12)}`;
  const directory = join(tmpdir(), name);
  if (!isUsable(directory)) {
    throw new PlatformError("BALANCER_SOCKET_PATH", {
      path: directory,
      reason: `the path has more than ${socketPathBytesMax} bytes or unusual characters`,
    });
  }
  await makePrivate(directory, uid);
  logger.info("the path of run/ does not suit a socket: the control socket is elsewhere", {
    run: runDirectory,
    directory,
  });
  return runtimeFiles(directory);
}

/** Removes the directory that stood in for `run/`, if there is one. */
export async function closeRuntimeFiles(files: RuntimeFiles, runDirectory: string): Promise<void> {
  const directory = dirname(files.socket);
  if (directory !== runDirectory) await rm(directory, { recursive: true, force: true });
}

function runtimeFiles(directory: string): RuntimeFiles {
  return {
    socket: join(directory, "haproxy.sock"),
    serverState: join(directory, "haproxy.state"),
  };
}

function isUsable(directory: string): boolean {
  const { socket } = runtimeFiles(directory);
  return Buffer.byteLength(socket) <= socketPathBytesMax && /^[\w./@+=-]+$/.test(socket);
}

/** Anyone may make a directory under /tmp first: only one of our own, closed to others, will do. */
async function makePrivate(directory: string, uid: number): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700, recursive: true });
    const found = await lstat(directory);
    if (found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return;
    throw new Error("it exists and is not a private directory of this user");
  } catch (error) {
    throw new PlatformError("BALANCER_SOCKET_PATH", { path: directory, reason: reasonOf(error) }, {
      cause: error,
    });
  }
}
