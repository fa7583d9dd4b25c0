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
  DEPLOY_FILE_NAME: {
    kind: "input",
    status: 400,
    message: '"{file}" is not a valid name for a source file',
    advice: "Use letters, digits, dots, dashes and underscores, ending in .ts, .js or .mjs",
  },
  DEPLOY_SAME_NAME: {
    kind: "input",
    status: 400,
    message: 'Two of the files are called "{file}"',
    advice: "A file's base name is its identity in the cluster: rename one",
  },
} as const satisfies Record<string, ErrorCode>;
