import type { ErrorCode } from "../error-code.ts";

export const requestCodes = {
  REQUEST_MALFORMED: {
    kind: "input",
    status: 400,
    message: "{reason}",
  },
  REQUEST_INPUT_INVALID: {
    kind: "input",
    status: 400,
    message: "The input does not match what the service takes",
    advice: "Correct the fields listed under errors",
  },
  REQUEST_UNAUTHORIZED: {
    kind: "input",
    status: 401,
    message: "Credentials are missing or not valid",
  },
  REQUEST_NO_CHANNEL: {
    kind: "input",
    status: 404,
    message: "Nothing is served at this path",
  },
  REQUEST_METHOD: {
    kind: "input",
    status: 405,
    message: "This path does not take the method {method}",
    advice: "Use one of the methods in the Allow header",
  },
  REQUEST_BODY_SLOW: {
    kind: "input",
    status: 408,
    message: "The request body did not arrive within {timeoutMs} ms",
  },
  REQUEST_BODY_SIZE: {
    kind: "input",
    status: 413,
    message: "The request body is larger than {limit} bytes",
  },
  REQUEST_PATH_LENGTH: {
    kind: "input",
    status: 414,
    message: "The path is longer than {limit} characters",
  },
  REQUEST_CONTENT_TYPE: {
    kind: "input",
    status: 415,
    message: "This channel does not take bodies of this content type",
    advice: "Send application/json or application/x-www-form-urlencoded",
  },
  REQUEST_TOO_MANY_ATTEMPTS: {
    kind: "input",
    status: 429,
    message: "Too many attempts with credentials that are not valid",
    advice: "Wait as long as the Retry-After header says",
  },
  REQUEST_AUTHENTICATION_BUSY: {
    kind: "state",
    status: 503,
    message: "Too many credentials are being checked",
    advice: "Try again as soon as the Retry-After header says",
  },
  REQUEST_NOT_READY: {
    kind: "state",
    status: 503,
    message: "The server is not ready: {reason}",
  },
  REQUEST_TIMEOUT: {
    kind: "state",
    status: 504,
    message: "The service did not answer within {timeoutMs} ms",
  },
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
  CHANNEL_UNUSABLE: {
    kind: "input",
    status: 400,
    message: "{reason}",
  },
  SECURITY_KEY_INVALID: {
    kind: "input",
    status: 400,
    message: "The cluster key is not 32 bytes of base64url",
    advice: "Put the cluster's own key into the file secrets/cluster.key",
  },
  SECURITY_KEY_OTHER: {
    kind: "input",
    status: 400,
    message: "A secret is sealed with the cluster key {sealed}, this is the key {key}",
    advice: "Use the cluster's own key, or apply the object again with its secret",
  },
  SECURITY_SECRET_MISSING: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}": the secret field "{field}" is missing',
    advice: "Give the field a value; a secret can be left out only when it has been set before",
  },
  SECURITY_SECRET_RESERVED: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}": the secret field "{field}" begins with "dragoman:"',
    advice: "Choose another secret; that beginning marks sealed values",
  },
  SECURITY_SEAL_BROKEN: {
    kind: "input",
    status: 400,
    message: '{kind} "{name}": the secret field "{field}" cannot be unsealed',
    advice: "Apply the object again with its secret",
  },
} as const satisfies Record<string, ErrorCode>;
