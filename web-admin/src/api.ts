import type { Problem } from "../shared/session.ts";

/** What the console's server refused, in its own words. */
export class ApiError extends Error {
  readonly problem: Problem;
  /** Seconds to wait before trying again; 0 when the server did not say. */
  readonly retryAfterSeconds: number;

  constructor(problem: Problem, retryAfterSeconds = 0) {
    super(problem.detail);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Reads JSON from the console's server; throws ApiError. */
export function getJson<T>(path: string): Promise<T> {
  return send<T>(path, {});
}

/** Sends a change; throws ApiError. `csrfToken` is that of the session, where there is one. */
export function postJson<T>(
  path: string,
  { body, csrfToken }: { readonly body?: unknown; readonly csrfToken?: string } = {},
): Promise<T> {
  return send<T>(path, {
    method: "POST",
    headers: {
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(csrfToken === undefined ? {} : { "X-Dragoman-Csrf": csrfToken }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function send<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(path, init).catch((): never => {
    throw new ApiError({ status: 0, code: "UNREACHABLE", detail: "The console does not answer" });
  });
  if (!response.ok) throw await errorOf(response);
  // The caller names the type that the server's own code has for this path.
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function errorOf(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get("Retry-After") ?? 0);
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  if (isProblem) return new ApiError((await response.json()) as Problem, seconds); // RFC 9457
  const { status, statusText } = response;
  return new ApiError({ status, code: "UNKNOWN", detail: `${status} ${statusText}` }, seconds);
}
