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

export const catalogCodes = {
  CATALOG_UNKNOWN_KIND: {
    kind: "input",
    status: 400,
    message: 'There is no kind "{kind}"{hint}',
    advice: "Name one of: {kinds}",
  },
  CATALOG_NAME: {
    kind: "input",
    status: 400,
    message: '"{name}" is not a valid name of an object',
    advice:
      "Use 1 to 200 letters, digits, dots, dashes, underscores and slashes, a letter or digit first",
  },
  CATALOG_DOCUMENT: {
    kind: "input",
    status: 400,
    message: "Object {index} of the request: {reason}",
    advice: "An object has exactly apiVersion, kind, name and spec",
  },
  CATALOG_INVALID: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}": {reason}',
    advice: "Correct the named field; unknown fields are errors",
  },
  CATALOG_CONFLICT: {
    kind: "input",
    status: 409,
    message: '{kind} "{name}": {reason}',
    advice: "Change one of the two objects",
  },
  CATALOG_DUPLICATE: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}" is given twice',
    advice: "Leave one of the two out",
  },
} as const satisfies Record<string, ErrorCode>;
