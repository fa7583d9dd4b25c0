import { PlatformError } from "../errors/platform-error.ts";
import type { OdbDialect } from "./types.ts";

/** An ODB URL taken apart. */
export type OdbTarget =
  | { readonly dialect: "sqlite"; readonly address: string; readonly path: string }
  | RemoteTarget;

export interface RemoteTarget {
  readonly dialect: "postgresql" | "mysql";
  /** `host:port/database`, for people. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** PostgreSQL only: the schema that holds our tables. Default: the user's search path. */
  readonly schema?: string;
}

const dialects: Readonly<Record<string, OdbDialect>> = {
  "sqlite:": "sqlite",
  "postgresql:": "postgresql",
  "postgres:": "postgresql",
  "mysql:": "mysql",
  "mariadb:": "mysql",
};

/** Takes the password out of an ODB URL; the URL that is left is safe to store and to show. */
export function splitPassword(
  url: string,
): { readonly url: string; readonly password?: string } {
  const parsed = parse(url);
  if (parsed.password === "") return { url };
  const password = decode(parsed.password);
  parsed.password = "";
  return { url: parsed.href, password };
}

/** Parses an ODB URL. Throws ODB_URL_INVALID and ODB_PASSWORD_IN_URL, neither of which quotes it. */
export function parseOdbUrl(url: string): OdbTarget {
  const parsed = parse(url);
  const dialect = dialects[parsed.protocol];
  if (dialect === undefined) {
    throw invalid(`"${parsed.protocol}" is not sqlite:, postgresql: or mysql:`);
  }
  return dialect === "sqlite" ? sqliteTarget(parsed) : remoteTarget(parsed, dialect);
}

function sqliteTarget(url: URL): OdbTarget {
  if (url.host !== "" || !url.pathname.startsWith("/") || url.pathname.endsWith("/")) {
    throw invalid("an absolute path of a file must follow sqlite://, as in sqlite:///srv/odb.db");
  }
  refuseUnknownParameters(url, []);
  const path = decode(url.pathname);
  return { dialect: "sqlite", address: path, path };
}

function remoteTarget(url: URL, dialect: RemoteTarget["dialect"]): OdbTarget {
  const database = decode(url.pathname.slice(1));
  const port = url.port === "" ? (dialect === "mysql" ? 3306 : 5432) : Number(url.port);
  const address = `${url.hostname}:${port}/${database}`;
  if (url.password !== "") throw new PlatformError("ODB_PASSWORD_IN_URL", { address });
  if (url.hostname === "") throw invalid("it names no host");
  if (url.username === "") throw invalid("it names no user");
  if (database === "") throw invalid("it names no database");
  refuseUnknownParameters(url, dialect === "postgresql" ? ["schema"] : []);
  const schema = url.searchParams.get("schema");
  return {
    dialect,
    address,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port,
    user: decode(url.username),
    database,
    ...(schema === null || schema === "" ? {} : { schema }),
  };
}

function refuseUnknownParameters(url: URL, known: readonly string[]): void {
  for (const name of url.searchParams.keys()) {
    if (known.includes(name)) continue;
    const which = known.length === 0 ? "it may have none" : `known is ${known.join(", ")}`;
    throw invalid(`its parameter "${name}" is unknown, ${which}`);
  }
}

function parse(url: string): URL {
  try {
    return new URL(url);
  } catch {
    // The parser's own message quotes the URL, which may hold a password.
    throw invalid("it is not of the form scheme://user@host:port/database");
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("it holds a % that begins no escape; write %25 for a percent sign");
  }
}

function invalid(reason: string): PlatformError {
  return new PlatformError("ODB_URL_INVALID", { reason });
}
