import { PlatformError } from "../errors/platform-error.ts";

/** Where a KVDB is, as its URL says it. */
export interface KvdbAddress {
  readonly host: string;
  readonly port: number;
  /** Number of the logical database. Default 0. */
  readonly database: number;
  /** `host:port`, for messages. */
  readonly label: string;
}

/**
 * Parses `redis://host:port/database`; port 6379 and database 0 by default. Throws
 * KVDB_PASSWORD_IN_URL when the URL holds credentials (which are in no message), and
 * KVDB_URL_INVALID for everything else that is wrong.
 */
export function parseKvdbUrl(text: string): KvdbAddress {
  const url = URL.parse(text);
  // What does not parse is not quoted: it may hold a password in a place where none is expected.
  if (url === null) {
    throw new PlatformError("KVDB_URL_INVALID", { url: "...", reason: "it is not a URL" });
  }
  if (url.username !== "" || url.password !== "") {
    throw new PlatformError("KVDB_PASSWORD_IN_URL", { address: url.host });
  }
  const fail = (reason: string) => {
    const shown = `${url.protocol}//${url.host}${url.pathname}`;
    return new PlatformError("KVDB_URL_INVALID", { url: shown, reason });
  };
  if (url.protocol !== "redis:") throw fail(`the scheme is "${url.protocol}", not "redis:"`);
  if (url.hostname === "") throw fail("it names no host");
  if (url.search !== "" || url.hash !== "") throw fail("it holds a query or a fragment");
  const database = url.pathname.replace(/^\//, "");
  if (!/^\d{0,4}$/.test(database)) throw fail("the path is not the number of a database");
  const port = url.port === "" ? 6379 : Number(url.port);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port,
    database: Number(database),
    label: `${url.hostname}:${port}`,
  };
}
