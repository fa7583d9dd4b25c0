import { existsSync } from "node:fs";
import { PlatformError } from "../errors/platform-error.ts";
import { findExecutable } from "../lib/executables.ts";

/** The full path of redis-server or valkey-server; undefined when neither is installed. */
export function findKvdbProgram(): string | undefined {
  return findExecutable("redis-server", "valkey-server");
}

/**
 * The program of the `redis` engine: the one that is configured, else the one that is installed.
 * Throws KVDB_PROGRAM_MISSING.
 */
export function requireKvdbProgram(configured?: string): string {
  const program = configured ?? findKvdbProgram();
  if (program !== undefined && existsSync(program)) return program;
  const wanted = configured ?? "redis-server or valkey-server";
  throw new PlatformError("KVDB_PROGRAM_MISSING", { program: wanted });
}
