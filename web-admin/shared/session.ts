/** The answer of `POST /api/login`, and of `GET /api/session`, which is null for strangers. */
export interface SessionView {
  readonly username: string;
  /** Goes into the header `X-Dragoman-Csrf` of everything that is not a GET. */
  readonly csrfToken: string;
  readonly version: string;
  readonly clusters: readonly ClusterChoice[];
}

export interface ClusterChoice {
  readonly name: string;
  readonly environment: "development" | "production";
}

/** The part of RFC 9457 problem details that the pages use. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly advice?: string;
  readonly cid?: string;
}
