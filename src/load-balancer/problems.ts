/** What the balancer itself answers, whichever engine it has: title and detail by HTTP status. */
export const balancerProblems = {
  400: ["Bad Request", "The request is not valid HTTP, or is ambiguous"],
  405: ["Method Not Allowed", "The balancer does not pass on CONNECT and TRACE"],
  408: ["Request Timeout", "The request did not arrive in time"],
  429: ["Too Many Requests", "The client has too many connections or sends too many requests"],
  431: ["Request Header Fields Too Large", "The request head is too large"],
  500: ["Internal Server Error", "The balancer could not handle the request"],
  502: ["Bad Gateway", "The server broke the connection or gave an invalid answer"],
  503: ["Service Unavailable", "No server is available to handle the request"],
  504: ["Gateway Timeout", "The server did not answer in time"],
} as const satisfies Record<number, readonly [title: string, detail: string]>;

export type ProblemStatus = keyof typeof balancerProblems;

/** The media type of problem details, RFC 9457. */
export const problemContentType = "application/problem+json";

/** Seconds after which a client that got 503 may try again. */
export const retryAfterSeconds = 1;

/** The RFC 9457 body for one of the balancer's own answers, as JSON text. */
export function renderProblem(
  status: ProblemStatus,
  detail: string = balancerProblems[status][1],
): string {
  const [title] = balancerProblems[status];
  return JSON.stringify({ type: "about:blank", title, status, detail });
}
