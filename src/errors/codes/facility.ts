import type { ErrorCode } from "../error-code.ts";

/** What services work with: caches, dictionaries, user configuration, locks, the KVDB. */
export const facilityCodes = {
  CACHE_UNKNOWN: {
    kind: "bug",
    status: 500,
    message: 'There is no cache "{name}"{hint}',
    advice: "Create a Cache object with this name, or correct the name in the service",
  },
  CACHE_ENTRY_SIZE: {
    kind: "bug",
    status: 500,
    message: 'A value for the cache "{cache}" has {bytes} bytes, and it takes {limit} at most',
    advice: "Raise entryBytesMax of the Cache object, or keep less in one entry",
  },
  CACHE_TTL_INVALID: {
    kind: "bug",
    status: 500,
    message: 'A value for the cache "{cache}" came with the ttlMs {ttlMs}, which is not above 0',
    advice: "Leave ttlMs out, or give the milliseconds that the value may be kept",
  },
  DICTIONARY_UNKNOWN: {
    kind: "bug",
    status: 500,
    message: 'There is no dictionary "{name}"{hint}',
    advice: "Create a Dictionary object with this name, or correct the name in the service",
  },
  CONFIG_OBJECT_UNKNOWN: {
    kind: "bug",
    status: 500,
    message: 'There is no user configuration "{name}"{hint}',
    advice: "Create a UserConfig object with this name, or correct the name in the service",
  },
  VALUE_NOT_JSON: {
    kind: "bug",
    status: 500,
    message: "{what} cannot be written as JSON: {reason}",
    advice: "Use plain JSON values: objects, lists, texts, finite numbers, booleans and null",
  },
  KVDB_NONE: {
    kind: "state",
    status: 503,
    message: "This server has no KVDB",
    advice: "Set kvdb.url in the server's config.yaml and restart it",
  },
  KVDB_COMMAND_REFUSED: {
    kind: "bug",
    status: 500,
    message: "Services cannot run {command}: {reason}",
    advice: "Use another command, or a client of your own",
  },
} as const satisfies Record<string, ErrorCode>;
