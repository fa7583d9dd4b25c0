import { execFile, type ExecFileException } from "node:child_process";
import { PlatformError } from "../../errors/platform-error.ts";
import { findExecutable } from "../../lib/executables.ts";
import { alertsOf } from "./messages.ts";

/** Oldest version with everything that the configuration uses. */
const versionMin = "2.4";

/** Longest time HAProxy may take to read a configuration. */
const checkTimeoutMs = 10_000;

export interface HaproxyBinary {
  readonly path: string;
  /** Such as `2.6.12`. */
  readonly version: string;
}

/**
 * Finds HAProxy at `haproxyPath`, else on PATH and in the sbin directories.
 * Throws BALANCER_HAPROXY_MISSING, BALANCER_HAPROXY_TOO_OLD.
 */
export async function findHaproxy(haproxyPath?: string): Promise<HaproxyBinary> {
  const path = haproxyPath ?? findExecutable("haproxy");
  if (path === undefined) {
    throw new PlatformError("BALANCER_HAPROXY_MISSING", {
      reason: "no haproxy is on PATH or in the sbin directories",
    });
  }
  const { output, failure } = await run(path, ["-v"]);
  const version = /HA-?Proxy version (\d+\.\d+(?:\.\d+)?)/i.exec(output)?.[1];
  if (version === undefined) {
    const reason = `"${path}" is not it: ${failure ?? "it prints no version"}`;
    throw new PlatformError("BALANCER_HAPROXY_MISSING", { reason });
  }
  if (isOlder(version, versionMin)) {
    throw new PlatformError("BALANCER_HAPROXY_TOO_OLD", { path, version, wanted: versionMin });
  }
  return { path, version };
}

/** Lets HAProxy itself check a file. Throws BALANCER_CONFIG_REFUSED with its words and lines. */
export async function checkHaproxyFile(binary: HaproxyBinary, file: string): Promise<void> {
  const { output, failure } = await run(binary.path, ["-c", "-f", file]);
  if (failure === undefined) return;
  const reason = alertsOf(output.split("\n")) || failure;
  throw new PlatformError("BALANCER_CONFIG_REFUSED", { reason });
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = than.split(".").map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

interface RunResult {
  readonly output: string;
  /** Why the program did not succeed; undefined when it did. */
  readonly failure?: string;
}

function run(path: string, args: readonly string[]): Promise<RunResult> {
  return new Promise((resolve) => {
    execFile(path, args, { timeout: checkTimeoutMs }, (error, stdout, stderr) => {
      const output = stdout + stderr;
      if (error === null) resolve({ output });
      else resolve({ output, failure: failureOf(error, stderr) });
    });
  });
}

function failureOf({ code, signal, killed, message }: ExecFileException, stderr: string): string {
  if (killed) return `it does not finish within ${checkTimeoutMs / 1_000} s`;
  const how = signal ? `it was ended by ${signal}` : `it exited with code ${code}`;
  // A text code, such as ENOENT, means that the program could not be started at all.
  return typeof code === "string" ? message : [stderr.trim().split("\n").at(-1), how].join(" ");
}
