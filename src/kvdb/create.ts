import { type ComponentPaths, createComponent, isEmptyDirectory } from "../config/component.ts";
import { kvdbConfigSchema } from "../config/schemas.ts";
import { validateSource } from "../config/yaml-source.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { findKvdbProgram, requireKvdbProgram } from "./redis-program.ts";

export interface CreateKvdbOptions {
  readonly name: string;
  /** `auto` is `redis` where redis-server or valkey-server is installed, else `embedded`. */
  readonly engine: "auto" | "embedded" | "redis";
  readonly host: string;
  readonly port: number;
  /** Absent: anyone on this machine may come in, and `host` must be a loopback address. */
  readonly password?: string | undefined;
}

export interface CreatedKvdb {
  readonly engine: "embedded" | "redis";
  readonly paths: ComponentPaths;
}

/**
 * Makes the component directory of a KVDB. Throws KVDB_DIRECTORY_NOT_EMPTY,
 * KVDB_PROGRAM_MISSING, KVDB_PASSWORD_INVALID or CONFIG_INVALID, and then has made nothing.
 */
export async function createKvdb(
  directory: string,
  { name, engine, host, port, password }: CreateKvdbOptions,
): Promise<CreatedKvdb> {
  const chosen = chooseEngine(engine);
  const config = { name, engine: chosen, listen: { host, port } };
  validateSource(kvdbConfigSchema, {
    file: "the KVDB's options",
    value: config,
    locate: () => "The KVDB's options",
  });
  if (password !== undefined) checkPassword(password);
  if (!await isEmptyDirectory(directory)) {
    throw new PlatformError("KVDB_DIRECTORY_NOT_EMPTY", { directory });
  }
  const secrets: Record<string, string> = password === undefined
    ? {}
    : { "kvdb-password": password };
  const paths = await createComponent(directory, { component: "kvdb", config, secrets });
  return { engine: chosen, paths };
}

function chooseEngine(engine: CreateKvdbOptions["engine"]): CreatedKvdb["engine"] {
  if (engine === "auto") return findKvdbProgram() === undefined ? "embedded" : "redis";
  if (engine === "redis") requireKvdbProgram();
  return engine;
}

function checkPassword(password: string): void {
  const reason = password === ""
    ? "empty"
    : password.length > 512
    ? `${password.length} characters long`
    : /[\0\r\n]/.test(password)
    ? "of more than one line"
    : password !== password.trimEnd()
    ? "ending in a blank"
    : undefined;
  if (reason !== undefined) throw new PlatformError("KVDB_PASSWORD_INVALID", { reason });
}
