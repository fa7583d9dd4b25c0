import { PlatformError } from "../../errors/platform-error.ts";
import type { CommandIo } from "../io.ts";
import { loadPassword } from "./passwords.ts";

/** Where a KVDB is and how to get in; the URL is safe to store and to show. */
export interface KvdbAccess {
  readonly url: string;
  readonly password?: string;
}

/**
 * Takes the password out of a KVDB URL (`redis://:password@host:port/db`), or from a file, or from
 * DRAGOMAN_KVDB_PASSWORD. Throws KVDB_URL_INVALID, CONFIG_UNREADABLE.
 */
export async function readKvdbAccess(
  { url: text, passwordFile }: {
    readonly url: string;
    readonly passwordFile: string | undefined;
  },
  io: CommandIo,
): Promise<KvdbAccess> {
  const { parseKvdbUrl } = await import("../../kvdb/address.ts");
  const { url, password } = splitPassword(text);
  parseKvdbUrl(url);
  const given = await loadPassword(passwordFile, io) ?? password ??
    (io.env["DRAGOMAN_KVDB_PASSWORD"] || undefined);
  return given === undefined ? { url } : { url, password: given };
}

function splitPassword(text: string): { readonly url: string; readonly password?: string } {
  const parsed = URL.parse(text);
  // A URL that does not parse may hold a password anywhere, so it is not quoted.
  if (parsed === null) {
    throw new PlatformError("KVDB_URL_INVALID", { url: "...", reason: "it is not a URL" });
  }
  if (parsed.password === "") return { url: text };
  const password = decodeURIComponent(parsed.password);
  parsed.password = "";
  parsed.username = "";
  return { url: parsed.href, password };
}
