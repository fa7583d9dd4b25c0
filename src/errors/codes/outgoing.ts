import type { ErrorCode } from "../error-code.ts";

// Errors of kind "peer" leave a service that lets them through with their status and no text.
export const outgoingCodes = {
  OUTGOING_UNKNOWN: {
    kind: "input",
    status: 400,
    message: 'There is no {kind} "{name}"{hint}',
    advice: "Create it with dragoman apply, or correct the name in the service",
  },
  OUTGOING_UNUSABLE: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}" cannot be used: {reason}',
    advice: "Correct the object, then apply it again",
  },
  // Worth another try, as whoever switched it off will switch it on again.
  OUTGOING_INACTIVE: {
    kind: "peer",
    status: 503,
    message: '{kind} "{name}" is not active',
    advice: "Set active: true, and apply it",
  },
  OUTGOING_REQUEST: {
    kind: "input",
    status: 400,
    message: 'The call of {kind} "{name}" cannot be sent: {reason}',
    advice: "Correct the call in the service",
  },
  OUTGOING_UNREACHABLE: {
    kind: "peer",
    status: 502,
    message: '{kind} "{name}" got no answer from {address}: {reason}',
    advice: "Check that the other side runs and that this server may reach it",
  },
  OUTGOING_UNTRUSTED: {
    kind: "peer",
    status: 502,
    message: '{kind} "{name}" could not agree on TLS with {address}: {reason}',
    advice: "Check tlsCa, tlsServerName, tlsCertificate and tlsKey against the other side",
  },
  OUTGOING_TIMEOUT: {
    kind: "peer",
    status: 504,
    message: '{kind} "{name}" had no whole answer within {timeoutMs} ms',
    advice: "Look why the other side is slow, or raise timeoutMs",
  },
  OUTGOING_DEADLINE: {
    kind: "peer",
    status: 504,
    message: 'The time of the call was over before {kind} "{name}" was called',
    advice: "Raise the timeoutMs of the channel or of the service",
  },
  OUTGOING_BREAKER_OPEN: {
    kind: "peer",
    status: 503,
    message: '{kind} "{name}" is not called for now: too many calls have failed ({reason})',
    advice: "Wait until the other side answers again",
  },
  OUTGOING_STATUS: {
    kind: "peer",
    status: 502,
    message: '{kind} "{name}" answered {status} to {method} {path}',
    advice: "Look at details.data, or list the status under accept",
  },
  OUTGOING_REPLY_INVALID: {
    kind: "peer",
    status: 502,
    message: '{kind} "{name}" gave an answer that cannot be used: {reason}',
    advice: "Compare the answer with the schema of the call",
  },
  OUTGOING_REPLY_SIZE: {
    kind: "peer",
    status: 502,
    message: '{kind} "{name}" gave an answer of more than {limit} bytes',
    advice: 'Raise responseBytesMax, or read the answer with as: "stream"',
  },
} as const satisfies Record<string, ErrorCode>;
