import type { ErrorCode } from "../error-code.ts";

export const kvdbCodes = {
  KVDB_URL_INVALID: {
    kind: "input",
    status: 400,
    message: 'KVDB URL "{url}" is not valid: {reason}',
    advice: "Write it as redis://host:port or redis://host:port/database",
  },
  KVDB_PASSWORD_IN_URL: {
    kind: "input",
    status: 400,
    message: "The KVDB URL for {address} holds a password or a user name",
    advice: "Take it out of the URL and put the password into secrets/kvdb-password",
  },
  KVDB_UNREACHABLE: {
    kind: "peer",
    status: 503,
    message: "KVDB at {address} is unreachable: {reason}",
    advice: "Check that the KVDB runs and that its address and password are right",
  },
  KVDB_COMMAND_FAILED: {
    kind: "peer",
    status: 502,
    message: "KVDB at {address} refused {command}: {reason}",
  },
  KVDB_CLOSED: {
    kind: "state",
    status: 503,
    message: "The connection to the KVDB at {address} was closed",
  },
  KVDB_PORT_IN_USE: {
    kind: "state",
    status: 409,
    message: "Port {port} on {host}, meant for the KVDB, is in use by another process",
    advice: 'Stop what uses port {port} (see "ss -ltnp") or change listen.port in config.yaml',
  },
  KVDB_LISTEN_FAILED: {
    kind: "input",
    status: 400,
    message: "The KVDB cannot listen on {host}:{port}: {reason}",
    advice: "Set listen.host in config.yaml to an address of this machine",
  },
  KVDB_PROGRAM_MISSING: {
    kind: "input",
    status: 400,
    message: "The redis engine needs a program that is not there: {program}",
    advice: 'Install it ("apt-get install redis-server") or choose the engine "embedded"',
  },
  KVDB_UNPROTECTED: {
    kind: "input",
    status: 400,
    message: "The KVDB would listen on {host} without a password",
    advice: "Put a password into secrets/kvdb-password, or set listen.host to 127.0.0.1",
  },
  KVDB_PASSWORD_INVALID: {
    kind: "input",
    status: 400,
    message: "The KVDB password is {reason}",
    advice: "Choose a password of 1 to 512 characters without line breaks",
  },
  KVDB_DIRECTORY_NOT_EMPTY: {
    kind: "input",
    status: 409,
    message: 'Cannot create a KVDB in "{directory}": the directory is not empty',
    advice: "Name a new directory, or delete what is in this one",
  },
  KVDB_START_FAILED: {
    kind: "state",
    status: 500,
    message: "The KVDB did not start: {reason}",
    advice: "Read the KVDB's log lines above this one",
  },
  KVDB_DIED: {
    kind: "state",
    status: 500,
    message: "The KVDB process ended unexpectedly: {reason}",
    advice: "Read the KVDB's last log lines, then start it again",
  },
  KVDB_DATA_CORRUPT: {
    kind: "state",
    status: 500,
    message: '"{file}" is corrupt at byte {offset}: {reason}',
    advice: "Restore the file from a copy, or move it away to start with no data",
  },
  KVDB_DATA_UNREADABLE: {
    kind: "state",
    status: 500,
    message: 'Cannot use the KVDB data file "{file}": {reason}',
    advice: "Check the owner and the permissions of the state directory",
  },
  KVDB_DATA_LOCKED: {
    kind: "state",
    status: 409,
    message: '"{file}" is in use by process {pid}',
    advice: "Stop that process first: two servers must not write one file",
  },
} as const satisfies Record<string, ErrorCode>;
