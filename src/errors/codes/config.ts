import type { ErrorCode } from "../error-code.ts";

export const configCodes = {
  CONFIG_UNREADABLE: {
    kind: "input",
    status: 400,
    message: 'Cannot read "{file}": {reason}',
    advice: "Check that the file exists and that you may read it",
  },
  CONFIG_SYNTAX: {
    kind: "input",
    status: 400,
    message: "{file}:{line}:{column}: {reason}",
    advice: "Mend the YAML at that place",
  },
  CONFIG_INVALID: {
    kind: "input",
    status: 400,
    message: "{where}: {reason}",
    advice: "Correct the named field; unknown fields are errors",
  },
  CONFIG_NOT_A_COMPONENT: {
    kind: "input",
    status: 400,
    message: '"{directory}" is not a Dragoman component: it has no component.json',
    advice: "Name a directory made by one of the create commands, or by quickstart create",
  },
  CONFIG_WRONG_COMPONENT: {
    kind: "input",
    status: 400,
    message: '"{directory}" is a {found}, not a {wanted}',
    advice: "Name the directory of a {wanted}",
  },
} as const satisfies Record<string, ErrorCode>;
