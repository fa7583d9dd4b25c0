import type { ErrorCode } from "../error-code.ts";

export const invocationCodes = {
  INVOCATION_INVALID: {
    kind: "input",
    status: 400,
    message: 'The invocation of "{service}" cannot be kept: {reason}',
    advice: "Correct that value; hand large data over by reference, such as a key in the KVDB",
  },
  INVOCATION_UNKNOWN: {
    kind: "input",
    status: 404,
    message: "There is no invocation {id}",
    advice: "List them with `dragoman invocation list`; those that were done are kept for a day",
  },
  INVOCATION_STATE: {
    kind: "state",
    status: 409,
    message: "Invocation {id} is {state} and cannot be {action}",
    advice: "Look at it with `dragoman invocation show {id}`",
  },
} as const satisfies Record<string, ErrorCode>;

export const schedulerCodes = {
  RUN_STATE: {
    kind: "state",
    status: 409,
    message: "Run {id} is {state} and cannot be {action}",
    advice: "Look at it with `dragoman job history --run {id}`",
  },
  RUN_UNKNOWN: {
    kind: "input",
    status: 404,
    message: "There is no run {id}",
    advice: "Find its id with `dragoman job history`; runs are deleted after some time",
  },
} as const satisfies Record<string, ErrorCode>;
