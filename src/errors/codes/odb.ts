import type { ErrorCode } from "../error-code.ts";

export const odbCodes = {
  ODB_UNREACHABLE: {
    kind: "peer",
    status: 503,
    message: "The ODB at {address} cannot be used: {reason}",
    advice: "Check that the database runs and that its address is right",
  },
  ODB_CONTENDED: {
    kind: "peer",
    status: 503,
    message: "The ODB at {address} gave up on a transaction: {reason}",
    advice: "Try again",
  },
  ODB_FAILED: {
    kind: "bug",
    status: 500,
    message: "The ODB at {address} refused a statement: {reason}",
  },
  ODB_DUPLICATE: {
    kind: "state",
    status: 409,
    message: "The ODB at {address} has such a row already: {reason}",
    advice: "Read the present state and try again",
  },
  ODB_URL_INVALID: {
    kind: "input",
    status: 400,
    message: "The ODB URL is not valid: {reason}",
    advice: "Write sqlite:///path/to/file.db, postgresql://user@host:5432/database " +
      "or mysql://user@host:3306/database",
  },
  ODB_PASSWORD_IN_URL: {
    kind: "input",
    status: 400,
    message: "The URL of the ODB at {address} holds a password",
    advice: "Take the password out of the URL and put it into the file secrets/odb-password",
  },
  ODB_NO_SCHEMA: {
    kind: "state",
    status: 503,
    message: "The database at {address} has no Dragoman schema",
    advice: "Run `dragoman create odb` with this database's URL",
  },
  ODB_OLDER_SCHEMA: {
    kind: "state",
    status: 503,
    message:
      "The ODB at {address} has schema version {found}, and this Dragoman {ownVersion} needs {known}",
    advice:
      "Run `dragoman create odb` with this database's URL: it brings the schema up to date, " +
      "and servers that run go on meanwhile",
  },
  ODB_NEWER_SCHEMA: {
    kind: "state",
    status: 503,
    message: "The ODB at {address} has schema version {found}, made by {maker}; this Dragoman " +
      "{ownVersion} cannot use it, it knows {known}",
    advice: "Update this Dragoman to the version of the one that made the schema, or a later one",
  },
  ODB_NO_CLUSTER: {
    kind: "input",
    status: 404,
    message: 'The ODB has no cluster "{name}"{nearest}',
    advice: "Correct the cluster's name, or make the cluster with `dragoman create cluster`",
  },
  ODB_CLUSTER_EXISTS: {
    kind: "input",
    status: 409,
    message: 'The ODB has a cluster "{name}" already',
    advice: "Choose another name, or use the cluster that is there",
  },
  ODB_NAME_INVALID: {
    kind: "input",
    status: 400,
    message: "{what} {name} cannot be stored: {reason}",
    advice: "Use 1 to 255 characters, no control characters and no blanks at either end",
  },
  ODB_NO_OBJECT: {
    kind: "input",
    status: 404,
    message: '{kind} "{name}" does not exist{nearest}',
    advice: "Correct the name; `dragoman get {kind}` lists those that exist",
  },
  ODB_DUPLICATE_CHANGE: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}" is named twice in one change',
    advice: "Name each object once",
  },
  ODB_REVISION_CONFLICT: {
    kind: "state",
    status: 409,
    message: '{kind} "{name}" is at revision {found}, not {wanted}: someone changed it meanwhile',
    advice: "Read it again and repeat the change on what it is now",
  },
  ODB_REFERENCE_MISSING: {
    kind: "input",
    status: 400,
    message: "{problems}",
    advice: "Correct the name, or create what it names first or in the same change",
  },
  ODB_REFERENCE_AMBIGUOUS: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}": field {field} names "{target}", which is the name of {kinds}',
    advice: "Rename all but one of them",
  },
  ODB_IN_USE: {
    kind: "state",
    status: 409,
    message: "{problems}",
    advice: "Change or delete the users first, or in the same change",
  },
  ODB_SERVICE_TAKEN: {
    kind: "input",
    status: 409,
    message: 'Service "{name}" of {file} is defined by {otherFile} already',
    advice: "Rename one of the two services, or undeploy {otherFile}",
  },
  ODB_NO_BUNDLE: {
    kind: "input",
    status: 404,
    message: "The ODB has no bundle {hash} of {file}",
    advice: "Store the bundle before deploying it",
  },
  ODB_BUNDLE_HASH: {
    kind: "input",
    status: 400,
    message: "The bundle of {file} has the hash {found}, not {wanted}",
    advice: "Send the bundle again; its code was changed on the way",
  },
} as const satisfies Record<string, ErrorCode>;
