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
  REQUEST_FORBIDDEN: {
    kind: "input",
    status: 403,
    message: "These credentials do not give access to this channel",
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
  REQUEST_NOT_ACCEPTABLE: {
    kind: "input",
    status: 406,
    message: "This channel does not answer in a content type that the Accept header allows",
    advice: "Accept one of: {types}",
  },
  REQUEST_BODY_SLOW: {
    kind: "input",
    status: 408,
    message: "The request body did not arrive within {timeoutMs} ms",
  },
  REQUEST_PRECONDITION: {
    kind: "input",
    status: 412,
    message: "The resource is not in the state that the request's conditions ask for",
    advice: "Read it again, then repeat the request with its current ETag",
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
  REQUEST_QUERY_LENGTH: {
    kind: "input",
    status: 414,
    message: "The query is longer than {limit} characters",
  },
  REQUEST_CONTENT_TYPE: {
    kind: "input",
    status: 415,
    message: "This channel does not take bodies of this content type",
    advice: "Send one of the content types that the channel's formats stand for",
  },
  REQUEST_CONTENT_ENCODING: {
    kind: "input",
    status: 415,
    message: "Bodies of this content encoding are not taken",
    advice: "Send the body as it is, or with Content-Encoding: gzip",
  },
  REQUEST_RANGE: {
    kind: "input",
    status: 416,
    message: "None of the ranges lies within the {sizeBytes} bytes that there are",
  },
  REQUEST_HEADERS: {
    kind: "input",
    status: 431,
    message: "The request's headers are too many or too long: {reason}",
  },
  REQUEST_TOO_MANY_ATTEMPTS: {
    kind: "input",
    status: 429,
    message: "Too many attempts with credentials that are not valid",
    advice: "Wait as long as the Retry-After header says",
  },
  REQUEST_RATE: {
    kind: "input",
    status: 429,
    message: "Too many requests",
    advice: "Wait as long as the Retry-After header says",
  },
  REQUEST_AUTHENTICATION_BUSY: {
    kind: "state",
    status: 503,
    message: "Too many credentials are being checked",
    advice: "Try again as soon as the Retry-After header says",
  },
  REQUEST_AUTHENTICATION_UNAVAILABLE: {
    kind: "state",
    status: 503,
    message: "Credentials cannot be checked at the moment",
    advice: "Try again as soon as the Retry-After header says",
  },
  // Idempotency keys.
  REQUEST_KEY_INVALID: {
    kind: "input",
    status: 400,
    message: "The Idempotency-Key header cannot be used: {reason}",
    advice: 'Send one key of at most 255 characters, such as a UUID: Idempotency-Key: "8e03978e"',
  },
  REQUEST_KEY_MISSING: {
    kind: "input",
    status: 400,
    message: "This channel takes no request that may change something without an Idempotency-Key",
    advice: "Send an Idempotency-Key header with a new key for each operation, such as a UUID",
  },
  REQUEST_KEY_REUSED: {
    kind: "input",
    status: 422,
    message: "Another request was sent with this Idempotency-Key",
    advice: "Make a new key for each operation; repeat a request with its key unchanged",
  },
  REQUEST_KEY_RUNNING: {
    kind: "state",
    status: 409,
    message: "The first request with this Idempotency-Key is still being executed",
    advice: "Repeat the request as soon as the Retry-After header says",
  },
  REQUEST_KEY_UNKNOWN: {
    kind: "state",
    status: 409,
    message: "Whether the first request with this Idempotency-Key was executed cannot be known: " +
      "what executed it has gone. It was {cid}",
    advice: "Find out whether it had its effect; if not, send the request with a new key",
  },
  REQUEST_KEY_ANSWER_LOST: {
    kind: "state",
    status: 409,
    message: "The request was executed and answered with {status}; " +
      "the answer was streamed or too long, and was not kept",
    advice: "Read what the request has made; do not send it again",
  },
  REQUEST_KEY_UNAVAILABLE: {
    kind: "state",
    status: 503,
    message: "Requests with an Idempotency-Key cannot be taken at the moment: " +
      "the store of keys is out of reach. Nothing was executed",
    advice: "Repeat the request, with its key, as soon as the Retry-After header says",
  },
  REQUEST_NOT_READY: {
    kind: "state",
    status: 503,
    message: "The server is not ready: {reason}",
  },
  REQUEST_OVERLOAD: {
    kind: "state",
    status: 503,
    message: "The server has more requests than it can answer",
    advice: "Try again as soon as the Retry-After header says",
  },
  REQUEST_TIMEOUT: {
    kind: "state",
    status: 504,
    message: "The service did not answer within {timeoutMs} ms",
  },
  REQUEST_ABANDONED: {
    kind: "state",
    status: 504,
    message: "The request was given up before its service could run",
  },
} as const satisfies Record<string, ErrorCode>;
