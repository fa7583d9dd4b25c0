import { PlatformError } from "../../errors/platform-error.ts";
import { withinLimits } from "../../http/admit.ts";
import type { Exchange } from "../../http/exchange.ts";
import type { ProblemAnswer } from "../../http/problem.ts";
import type { HttpEndpoint } from "../../http/route.ts";
import type { SecurityRequest } from "../../security/authenticator.ts";
import type { Principal } from "../../security/principal.ts";
import { type Admission, authenticate, withQueryToken } from "./credentials.ts";
import type { SocketHub } from "./hub.ts";
import type { HandshakeFacts } from "./message-call.ts";
import type { OriginCheck } from "./origins.ts";

/** Takes handshakes, and hands their sockets to the channel's hub. */
export class SocketEndpoint implements HttpEndpoint {
  readonly #hub: SocketHub;
  readonly #checkOrigin: OriginCheck;

  constructor(hub: SocketHub, checkOrigin: OriginCheck) {
    this.#hub = hub;
    this.#checkOrigin = checkOrigin;
  }

  async answer(exchange: Exchange): Promise<Response> {
    const { headers, web, tools } = exchange;
    const { spec } = this.#hub.live;
    const isHandshake = headers.get("upgrade")?.toLowerCase() === "websocket" &&
      headers.get("sec-websocket-version")?.trim() === "13";
    if (!isHandshake) throw new PlatformError("SOCKET_UPGRADE_REQUIRED");
    this.#checkOrigin(headers);
    const protocol = chooseSubprotocol(headers, spec.subprotocols);
    await withinLimits(exchange, exchange.route!, async () => { // endpoints are reached by a route
      exchange.principal = await this.#admit(exchange);
    });
    this.#hub.requireRoom();
    const facts = factsOf(exchange);
    // A ping comes when half of this time has passed in silence.
    const idleTimeout = 2 * spec.pingMs / 1_000;
    const options = protocol === undefined ? { idleTimeout } : { idleTimeout, protocol };
    try {
      const { socket, response } = tools.upgrade(web, options);
      const { cid: id, principal } = exchange;
      this.#hub.welcome({ socket, id, facts, principal, deadlines: tools.deadlines });
      return response;
    } catch (error) {
      const reason = "The WebSocket handshake lacks headers";
      throw new PlatformError("REQUEST_MALFORMED", { reason }, { cause: error });
    }
  }

  failure(exchange: Exchange, answer: ProblemAnswer): Response {
    const headers: Record<string, string> = {};
    if (answer.problem.status === 426) {
      headers["Upgrade"] = "websocket";
      headers["Sec-WebSocket-Version"] = "13";
    }
    const challenge = this.#hub.live.admission?.guard.challenge;
    if (answer.problem.status === 401 && challenge) headers["WWW-Authenticate"] = challenge;
    return exchange.tools.answers.problem(answer, headers);
  }

  /** Who it is; undefined where nobody has to be known, or the first message is to say. */
  async #admit(exchange: Exchange): Promise<Principal | undefined> {
    const { admission, spec: { authTimeoutMs, tokenQuery } } = this.#hub.live;
    if (admission === undefined) return undefined;
    const credentials = tokenQuery === undefined ? [] : [tokenQuery];
    const parameters = [...credentials, ...admission.guard.queryNames];
    const mayWait = authTimeoutMs !== undefined && !showsCredentials(exchange, parameters);
    const request = tokenQuery === undefined ? exchange : withQueryToken(exchange, tokenQuery);
    try {
      return await this.#authenticate(admission, request, mayWait);
    } finally {
      exchange.hideQuery(parameters);
    }
  }

  async #authenticate(
    admission: Admission,
    request: SecurityRequest,
    mayWait: boolean,
  ): Promise<Principal | undefined> {
    try {
      return await authenticate(admission, request);
    } catch (error) {
      if (mayWait && error instanceof PlatformError && error.code === "REQUEST_UNAUTHORIZED") {
        return undefined;
      }
      throw error;
    }
  }
}

function showsCredentials(exchange: Exchange, parameters: readonly string[]): boolean {
  return exchange.headers.has("authorization") ||
    parameters.some((name) => exchange.query(name) !== undefined);
}

/** The first of the client's that the channel takes. Throws SOCKET_SUBPROTOCOL. */
function chooseSubprotocol(
  headers: Headers,
  taken: readonly string[] = [],
): string | undefined {
  const offered = headers.get("sec-websocket-protocol");
  if (offered === null || taken.length === 0) return undefined;
  const chosen = offered.split(",").map((name) => name.trim()).find((name) => taken.includes(name));
  if (chosen !== undefined) return chosen;
  throw new PlatformError("SOCKET_SUBPROTOCOL", { subprotocols: taken.join(", ") });
}

// Taken now: nothing of the request can be read once it is a socket.
function factsOf(exchange: Exchange): HandshakeFacts {
  const { path, queryText, remoteAddress, route, paramValues } = exchange;
  const headers = new Headers(exchange.clientHeaders);
  const names = route!.paramNames; // endpoints are reached by a route
  return {
    channel: route!.channel,
    path,
    params: Object.fromEntries(names.map((name, index) => [name, paramValues[index]!])),
    queryText,
    headers,
    remoteAddress,
  };
}
