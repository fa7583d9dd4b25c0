import type { ErrorCode } from "../error-code.ts";

export const adminCodes = {
  ADMIN_BODY: {
    kind: "input",
    status: 400,
    message: "The request's body is not what this operation takes: {reason}",
    advice: "Use a client of the same version as the server",
  },
  ADMIN_CANNOT_PING: {
    kind: "input",
    status: 400,
    message: "A {kind} cannot be tested",
    advice: "Name an outgoing connection, such as a RestOutgoing",
  },
  ADMIN_SERVER_LIVES: {
    kind: "state",
    status: 409,
    message: 'Server "{name}" is {state}',
    advice: "Stop it first; a server that lives would put itself back on the list",
  },
} as const satisfies Record<string, ErrorCode>;
