import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { LoadBalancerConfig } from "../../config/schemas.ts";
import { renderAddress } from "../address.ts";
import type { OutgoingRequest } from "./attempt.ts";
import type { AccessLog } from "./settings/access-log.ts";
import type { BackendSet } from "./backend-set.ts";
import type { ClientConnections } from "./client-connections.ts";
import type { ClientLimits } from "./client-limits.ts";
import type { ClientTlsPort } from "./client-tls.ts";
import { dispatch } from "./dispatch.ts";
import { forwardedHeaders, hasBody } from "./headers.ts";
import { renderProblemResponse, sendProblem } from "./own-answers.ts";
import { relayResponse } from "./relay.ts";
import { RequestBody } from "./request-body.ts";
import { judgeRequest, type Verdict } from "./request-guard.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { openTunnel, relayRefusal } from "./tunnel.ts";

/** What every request passes through. */
export interface Proxy {
  readonly config: LoadBalancerConfig;
  readonly backends: BackendSet;
  readonly connections: ClientConnections;
  readonly accessLog: AccessLog;
  readonly limits: ClientLimits;
  /** Undefined: clients come by plain HTTP. */
  readonly tls: ClientTlsPort | undefined;
  /** What servers are shown now. */
  readonly hopKey: () => string | undefined;
}

/** Answers while the balancer lives, whatever its servers do. */
const livenessPath = "/dragoman/balancer";

/** Takes one request of a client to its end. Never rejects. */
export async function handleRequest(
  proxy: Proxy,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { config, connections } = proxy;
  request.on("error", () => {}); // "close" of the response follows, and is what counts
  const turn = connections.hold(request.socket, response);
  if (turn !== undefined) await turn;
  if (response.destroyed) return;
  if (connections.isCondemned(request.socket)) return connections.finish(request.socket);
  const verdict = connections.surplus(request.socket) ?? judge(proxy, request);
  if ("refused" in verdict) {
    connections.condemn(request.socket);
    return sendProblem(response, verdict.refused, verdict);
  }
  if (verdict.path.split("?", 1)[0] === livenessPath) return sendAlive(response);
  const answeredBy = proxy.accessLog.follow(request, response);

  const { clientMs, serverMs } = config.timeouts;
  const watch = new SilenceWatch({ client: clientMs, server: serverMs });
  const outgoing = prepare(proxy, request, { path: verdict.path, watch });
  const hangUp = new AbortController();
  response.once("close", () => hangUp.abort());
  const giveUp = () => {
    sendProblem(response, 408);
    hangUp.abort();
  };
  watch.onSilence("client", giveUp);
  limitBody(outgoing.body, { response, limitMs: config.timeouts.bodyMs, giveUp });
  const delivery = await dispatch(outgoing, { ...proxy, watch, signal: hangUp.signal });
  if (delivery === "abandoned") return;
  if ("problem" in delivery) {
    sendProblem(response, delivery.problem, { close: connections.isClosing });
    return outgoing.body.discard();
  }
  answeredBy(delivery.server, delivery.outcome.response);
  if (delivery.outcome.type === "upgraded") {
    // It was not asked to: nobody could make sense of what follows.
    delivery.outcome.socket.destroy();
    sendProblem(response, 502);
  } else {
    const closeAfter = connections.isClosing;
    await relayResponse(delivery.outcome.response, response, { watch, closeAfter });
    outgoing.body.discard();
  }
  delivery.done();
}

/** Takes a request that asks to change the protocol; `head` is what the client sent behind it. */
export async function handleUpgrade(
  proxy: Proxy,
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  const { config, connections } = proxy;
  // Behind requests that are not answered yet, it would answer before they do.
  if (connections.exchanges(socket).length > 0) return void socket.destroy();
  connections.holdForEver(socket);
  const verdict = connections.surplus(socket) ?? judge(proxy, request);
  if ("refused" in verdict) {
    const { refused, detail } = verdict;
    return connections.finish(socket, renderProblemResponse(refused, detail));
  }
  if (hasBody(request.rawHeaders)) {
    return connections.finish(socket, renderProblemResponse(400, "An upgrade cannot have a body"));
  }
  const { clientMs, serverMs, tunnelMs } = config.timeouts;
  const watch = new SilenceWatch({ client: clientMs, server: serverMs });
  const upgrade = upgradeOf(request);
  const outgoing = prepare(proxy, request, { path: verdict.path, watch, ...upgrade });
  const hangUp = new AbortController();
  socket.once("close", () => hangUp.abort());
  const delivery = await dispatch(outgoing, { ...proxy, watch, signal: hangUp.signal });
  if (delivery === "abandoned") return;
  if ("problem" in delivery) {
    return connections.finish(socket, renderProblemResponse(delivery.problem));
  }
  const { outcome, done } = delivery;
  if (outcome.type === "upgraded") {
    if (head.length > 0) outcome.socket.write(head);
    const ends = { client: socket, server: outcome.socket };
    await openTunnel(ends, outcome.response, { idleMs: tunnelMs, head: outcome.head });
  } else await relayRefusal(socket, outcome.response);
  done();
}

/** HTTP/2 without TLS is not passed on: inside it, requests would go round every check made here. */
function upgradeOf({ headers }: IncomingMessage): { readonly upgrade?: string } {
  const upgrade = headers.upgrade ?? "";
  return upgrade === "" || /\bh2c\b/i.test(upgrade) ? {} : { upgrade };
}

/** Whether a request is passed on; counts it against what its client may send. */
function judge({ limits }: Proxy, request: IncomingMessage): Verdict {
  const isTooFast = limits.isTooFast(request.socket.remoteAddress ?? "");
  return isTooFast ? { refused: 429 } : judgeRequest(request);
}

/** Gives up when the body, or the first part of a long one, takes longer than `limitMs`. */
function limitBody(
  body: RequestBody,
  { response, limitMs, giveUp }: {
    readonly response: ServerResponse;
    readonly limitMs: number | undefined;
    readonly giveUp: () => void;
  },
): void {
  if (limitMs === undefined || body.hasArrived) return;
  const timer = setTimeout(() => !body.hasArrived && !response.headersSent && giveUp(), limitMs);
  response.once("close", () => clearTimeout(timer));
}

function prepare(
  { config, backends, tls, hopKey }: Proxy,
  request: IncomingMessage,
  { path, watch, upgrade }: { path: string; watch: SilenceWatch; upgrade?: string },
): OutgoingRequest {
  const method = request.method ?? "GET";
  const headers = forwardedHeaders(request.rawHeaders, {
    method,
    clientAddress: (request.socket.remoteAddress ?? "unknown").replace(/^::ffff:/, ""),
    defaultHost: renderAddress(config.http.host, config.http.port),
    scheme: tls === undefined ? "http" : "https",
    clientCertificate: tls?.fieldOf(request.socket),
    hopKey: hopKey(),
    ...(upgrade === undefined ? {} : { upgrade }),
  });
  return {
    method,
    path,
    headers,
    body: new RequestBody(request, watch),
    key: backends.keyOf(request),
  };
}

function sendAlive(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "text/plain", "Cache-Control": "no-store" });
  response.end("OK\n");
}
