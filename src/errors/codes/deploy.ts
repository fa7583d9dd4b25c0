import type { ErrorCode } from "../error-code.ts";

export const deployCodes = {
  DEPLOY_FILE_UNREADABLE: {
    kind: "input",
    status: 400,
    message: 'Cannot read "{file}": {reason}',
    advice: "Check that the file exists and that you may read it",
  },
  DEPLOY_COMPILE: {
    kind: "input",
    status: 400,
    message: "{where}: {reason}",
    advice: "Mend the source at that place; what was deployed before goes on serving",
  },
  DEPLOY_LOAD: {
    kind: "input",
    status: 400,
    message: '"{file}" does not load: {reason}',
    advice: "Mend the module; what was deployed before goes on serving",
  },
  DEPLOY_TIMEOUT: {
    kind: "input",
    status: 400,
    message: '"{file}" did not finish loading within {seconds} s',
    advice: "Keep top-level code short; open connections in services, not while the module loads",
  },
  DEPLOY_HASH: {
    kind: "input",
    status: 400,
    message: 'The bundle of "{file}" does not have the hash {hash}',
    advice: "Deploy the file again",
  },
  DEPLOY_DAMAGED: {
    kind: "state",
    status: 500,
    message: '"{path}" is damaged, or gone, and was not run',
    advice: "Bring the ODB back if it is away: the file is then fetched from there once more",
  },
  DEPLOY_NOT_STORED: {
    kind: "peer",
    status: 503,
    message: 'The bundle of "{file}" cannot be written to "{directory}": {reason}',
    advice: "Make room there, or let the server write there, and deploy again",
  },
  DEPLOY_FILE_NAME: {
    kind: "input",
    status: 400,
    message: '"{file}" is not a valid name for a source file',
    advice: "Use letters, digits, dots, dashes and underscores, ending in .ts, .js or .mjs",
  },
  DEPLOY_BUSY: {
    kind: "peer",
    status: 503,
    message: "Another server has been deploying its directories for {seconds} s",
    advice: "Wait for it; its log says what it is doing",
  },
  DEPLOY_IN_USE: {
    kind: "state",
    status: 409,
    message: '"{file}" cannot be deleted: its services are used by {users}',
    advice: "Change or delete those first; `dragoman delete KIND NAME` deletes one",
  },
  DEPLOY_NO_EARLIER: {
    kind: "state",
    status: 409,
    message: 'There is no earlier version of "{file}" to go back to',
    advice: "Look at its history with `dragoman deployment show {file}`",
  },
  DEPLOY_NO_VERSION: {
    kind: "input",
    status: 404,
    message: 'No version of "{file}" has a hash that begins with {hash}',
    advice: "Take a hash from `dragoman deployment show {file}`",
  },
  DEPLOY_HASH_AMBIGUOUS: {
    kind: "input",
    status: 400,
    message: 'Several versions of "{file}" have a hash that begins with {hash}',
    advice: "Give more digits of the hash",
  },
  DEPLOY_PRUNED: {
    kind: "state",
    status: 409,
    message: 'The code of version {hash} of "{file}" is not kept any more',
    advice: "Deploy its source again; `deployments.keepBundles` of the servers says how many " +
      "versions are kept",
  },
  DEPLOY_SOURCE_SIZE: {
    kind: "input",
    status: 400,
    message: '"{file}" has {sizeBytes} bytes, and {limitBytes} is the limit',
    advice: "Deploy it with `dragoman deploy`, and keep data out of the source",
  },
  DEPLOY_SAME_NAME: {
    kind: "input",
    status: 400,
    message: 'Two of the files are called "{file}"',
    advice: "A file's base name is its identity in the cluster: rename one",
  },
} as const satisfies Record<string, ErrorCode>;
