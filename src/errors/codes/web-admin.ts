import type { ErrorCode } from "../error-code.ts";

export const webAdminCodes = {
  WEB_ADMIN_DIRECTORY_NOT_EMPTY: {
    kind: "input",
    status: 409,
    message: 'A web admin cannot be created in "{directory}": it is not empty',
    advice: "Name a new directory, or empty this one",
  },
  WEB_ADMIN_USERNAME_INVALID: {
    kind: "input",
    status: 400,
    message: 'The username "{username}" cannot be used',
    advice:
      "Begin with a letter or digit; then letters, digits, dot, dash, underscore and @, 64 at most",
  },
  WEB_ADMIN_PASSWORD_UNFIT: {
    kind: "input",
    status: 400,
    message: "The password is {reason}",
    advice: "Choose a password of {least} to {most} characters that is not the username",
  },
  WEB_ADMIN_USER_EXISTS: {
    kind: "input",
    status: 409,
    message: 'The web admin already has a user "{username}"',
    advice: "Choose another name, or change that user's password",
  },
  WEB_ADMIN_NO_USER: {
    kind: "input",
    status: 404,
    message: 'The web admin has no user "{username}"',
    advice: "Name one of its users: {users}",
  },
  WEB_ADMIN_LOGIN_FAILED: {
    kind: "input",
    status: 401,
    message: "Username or password is wrong",
    advice: "Check both and try again",
  },
  WEB_ADMIN_LOCKED: {
    kind: "state",
    status: 429,
    message: "Too many wrong tries",
    advice: "Wait {seconds} s before the next one",
  },
  WEB_ADMIN_BUSY: {
    kind: "state",
    status: 503,
    message: "Too many people log in at this moment",
    advice: "Try again in a second",
  },
  WEB_ADMIN_NO_SESSION: {
    kind: "input",
    status: 401,
    message: "There is no session, or it has ended",
    advice: "Log in",
  },
  WEB_ADMIN_CROSS_SITE: {
    kind: "input",
    status: 403,
    message: "The request was refused because {reason}",
    advice: "Send it from the console itself, with its Origin and its X-Dragoman-Csrf header",
  },
  WEB_ADMIN_BODY_INVALID: {
    kind: "input",
    status: 400,
    message: "The request body cannot be used: {reason}",
    advice: "Send JSON with the fields that the operation takes",
  },
  WEB_ADMIN_BODY_TOO_LARGE: {
    kind: "input",
    status: 413,
    message: "The request body is larger than {limit} bytes",
    advice: "Send a smaller one",
  },
  WEB_ADMIN_NO_CLUSTER: {
    kind: "input",
    status: 404,
    message: 'This console does not show a cluster "{cluster}"',
    advice: "Name one of its clusters: {clusters}",
  },
  WEB_ADMIN_NO_SERVER: {
    kind: "peer",
    status: 503,
    message: 'No server of "{cluster}" answers: {reason}',
    advice: "Start one of them, then try again",
  },
  WEB_ADMIN_NO_ROUTE: {
    kind: "input",
    status: 404,
    message: 'There is nothing at "{path}"',
    advice: "Begin at the first page, /",
  },
  WEB_ADMIN_METHOD: {
    kind: "input",
    status: 405,
    message: '"{path}" does not take {method}',
    advice: "Use another method",
  },
  WEB_ADMIN_NOT_BUILT: {
    kind: "state",
    status: 503,
    message: 'The pages of the web admin are not built: there is no "{file}"',
    advice: "Run `npm run build -w web-admin`",
  },
  WEB_ADMIN_CANNOT_LISTEN: {
    kind: "state",
    status: 503,
    message: "The web admin cannot listen on {address}: {reason}",
    advice: "Stop what holds the port, or change `http.port` in {file}",
  },
} as const satisfies Record<string, ErrorCode>;
