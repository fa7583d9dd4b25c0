import type { ErrorCode } from "../error-code.ts";

export const serviceCodes = {
  SERVICE_INVALID: {
    kind: "input",
    status: 400,
    message: 'The service "{name}" cannot be defined: {reason}',
    advice: "Correct the call of defineService",
  },
  SERVICE_UNKNOWN: {
    kind: "input",
    status: 404,
    message: 'There is no service "{name}"{hint}',
    advice: "Deploy the file that exports it, or correct the name",
  },
  SERVICE_INPUT_INVALID: {
    kind: "bug",
    status: 500,
    message: 'The service "{service}" was invoked with an input that does not match its schema',
    advice: "Correct the service that invokes it",
  },
  SERVICE_NESTING: {
    kind: "bug",
    status: 500,
    message:
      'The service "{service}" was reached through {depthMax} others that invoke one another',
    advice: "Look for services that invoke one another in a circle",
  },
  SERVICE_OUTPUT_INVALID: {
    kind: "bug",
    status: 500,
    message: 'What the service "{service}" returned does not match its output schema',
    advice: "Correct the service, or its output schema",
  },
  SERVICE_OUTPUT_NOT_JSON: {
    kind: "bug",
    status: 500,
    message: 'What the service "{service}" returned cannot be written as JSON: {reason}',
    advice: "Return plain JSON values",
  },
  SERVICE_OUTPUT_FORMAT: {
    kind: "bug",
    status: 500,
    message: 'What the service "{service}" returned cannot be written as {format}: {reason}',
    advice: "Return what the channel's output format can say, or add another output format",
  },
  SERVICE_FAILED: {
    kind: "bug",
    status: 500,
    message: 'The service "{service}" failed: {reason}',
    advice: "Look for the correlation id in the server's log",
  },
  SERVICE_RAW_BODY: {
    kind: "bug",
    status: 500,
    message: "The bytes of the request body were not kept",
    advice: "Say rawBody: true in the defineService of the channel's service",
  },
  SERVICE_REFUSED: {
    kind: "input",
    status: 422,
    message: 'The service "{service}" answered {status}: {reason}',
  },
  SERVICE_NONE_IN_FILE: {
    kind: "input",
    status: 400,
    message: "The file exports no service",
    advice: "Export what defineService returns",
  },
  SERVICE_TWICE_IN_FILE: {
    kind: "input",
    status: 400,
    message: 'The file exports two services with the name "{name}" ({first} and {second})',
    advice: "Rename one of them",
  },
  SERVICE_NO_HANDLER: {
    kind: "bug",
    status: 500,
    message:
      'The service "{service}" has no handler for calls that are not HTTP requests, only for {methods}',
    advice: "Add handle to its defineService, or reach it through a REST channel",
  },
  // The words of these reach clients, so that they name nothing; `details` say which service it is.
  SERVICE_BUSY: {
    kind: "state",
    status: 503,
    message: "Too many calls of this service are waiting",
    advice: "Try again as soon as the Retry-After header says",
  },
  SERVICE_INACTIVE: {
    kind: "state",
    status: 503,
    message: "This service is switched off",
  },
  SERVICE_START_FAILED: {
    kind: "input",
    status: 400,
    message: 'The service "{service}" could not be started: {reason}',
    advice: "Correct onStart, or what it needs, and deploy the file again",
  },
  THREAD_TASK_INVALID: {
    kind: "input",
    status: 400,
    message: 'The thread task "{name}" cannot be defined: {reason}',
    advice: "Correct the call of defineThreadTask",
  },
  THREAD_TASK_UNKNOWN: {
    kind: "bug",
    status: 500,
    message: 'The thread task "{name}" was not defined while its file was loaded',
    advice: "Call defineThreadTask at the top level of the file, or of a module that it imports",
  },
  THREAD_BUSY: {
    kind: "state",
    status: 503,
    message: "Too many tasks are waiting for a thread",
    advice: "Try again as soon as the Retry-After header says",
  },
  THREAD_CRASHED: {
    kind: "bug",
    status: 500,
    message: 'The thread that ran the task "{name}" ended: {reason}',
    advice: "Look for what the task does that ends a thread, such as running out of memory",
  },
  SERVICE_CANCELLED: {
    kind: "state",
    status: 503,
    message: 'The call of the service "{service}" was cancelled',
  },
  LOCK_BUSY: {
    kind: "peer",
    status: 503,
    message: 'The lock "{name}" was held by somebody else for {waitMs} ms',
    advice: "Try again, or wait longer with waitMs",
  },
  LOCK_INVALID: {
    kind: "bug",
    status: 500,
    message: "The lock cannot be taken: {reason}",
    advice: "Correct the service that asks for the lock",
  },
  LOCK_LOST: {
    kind: "peer",
    status: 503,
    message: 'The lock "{name}" was lost while it was needed',
    advice: "Pass lock.signal on, so that work stops, and make ttlMs longer",
  },
  PARALLEL_STOPPED: {
    kind: "state",
    status: 503,
    message: "Another call beside this one failed",
  },
  TIME_INVALID: {
    kind: "input",
    status: 400,
    message: '"{text}" is not {what}',
    advice: "Write times as ISO 8601, such as 2026-01-31T12:00:00Z",
  },
} as const satisfies Record<string, ErrorCode>;
