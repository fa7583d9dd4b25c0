import type { RestClient, RestOptions, RestReply } from "./rest-client.ts";

export type RestMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One call as a service asked for it. */
export interface RestSending<T> {
  readonly method: RestMethod;
  /** Empty: the connection's own path. */
  readonly path: string;
  readonly body: unknown;
  readonly options: RestOptions<T>;
}

/** Makes a client out of the one thing that clients differ in. */
export function createRestClient(
  send: <T>(sending: RestSending<T>) => Promise<RestReply<T>>,
): RestClient {
  return {
    get: (path = "", options = {}) => send({ method: "GET", path, body: undefined, options }),
    async head(path = "", options = {}) {
      const reply = await send({ method: "HEAD", path, body: undefined, options });
      return { ...reply, data: undefined };
    },
    delete: (path = "", options = {}) => send({ method: "DELETE", path, body: undefined, options }),
    post: (path, body, options = {}) => send({ method: "POST", path, body, options }),
    put: (path, body, options = {}) => send({ method: "PUT", path, body, options }),
    patch: (path, body, options = {}) => send({ method: "PATCH", path, body, options }),
  };
}
