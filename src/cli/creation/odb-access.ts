import { resolve } from "node:path";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Odb } from "../../odb/types.ts";
import type { CommandIo } from "../io.ts";
import { loadPassword, passwordFileOption } from "./passwords.ts";

/** Where an ODB is and how to get in; the URL is safe to store and to show. */
export interface OdbAccess {
  readonly url: string;
  readonly password?: string;
}

export const odbPasswordOption = passwordFileOption("the ODB (or set DRAGOMAN_ODB_PASSWORD)");

/**
 * Takes the password out of an ODB URL, or from a file, or from DRAGOMAN_ODB_PASSWORD. A bare path
 * is a SQLite file. Throws ODB_URL_INVALID, CONFIG_UNREADABLE.
 */
export async function readOdbAccess(
  { url: text, passwordFile }: {
    readonly url: string;
    readonly passwordFile: string | undefined;
  },
  io: CommandIo,
): Promise<OdbAccess> {
  const { splitPassword } = await import("../../odb/open.ts");
  const { url, password } = splitPassword(odbUrl(text, io));
  const given = await loadPassword(passwordFile, io) ?? password ??
    (io.env["DRAGOMAN_ODB_PASSWORD"] || undefined);
  return given === undefined ? { url } : { url, password: given };
}

/** Opens an ODB for `use` and closes it. */
export async function withOdb<T>(access: OdbAccess, use: (odb: Odb) => Promise<T>): Promise<T> {
  const { openOdb } = await import("../../odb/open.ts");
  const odb = await openOdb(access);
  try {
    return await use(odb);
  } finally {
    await odb.close();
  }
}

/** Migrates and says whether there was anything to do. */
export async function createOdb(
  access: OdbAccess,
): Promise<{ readonly address: string; readonly from: number; readonly to: number }> {
  return await withOdb(access, async (odb) => {
    const { from, to } = await odb.migrate();
    return { address: odb.address, from, to };
  });
}

function odbUrl(text: string, io: CommandIo): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  if (!/\.(db|sqlite3?)$/i.test(text)) {
    throw new PlatformError("CLI_USAGE", {
      reason: "The ODB must be named by a URL, or by the path of a .db file for SQLite",
      command: "create odb",
    });
  }
  return sqliteUrl(resolve(io.cwd, text));
}

/** The URL of a SQLite file; `path` is absolute. */
export function sqliteUrl(path: string): string {
  return `sqlite://${path.split("/").map(encodeURIComponent).join("/")}`;
}
