import { createHash } from "node:crypto";
import { hopHeader } from "../../http/forwarders.ts";
import { keyHeader } from "../../http/idempotency/key.ts";
import { renderHostIdentity } from "../../mtls/identity.ts";
import { renderAddress } from "../address.ts";
import { drawCount } from "../draw-count.ts";
import {
  problemContentType,
  type ProblemStatus,
  renderProblem,
  retryAfterSeconds,
} from "../problems.ts";
import { accessLogLines } from "./access-log.ts";
import {
  bindLine,
  clientGlobalLines,
  forwardingLines,
  limitLines,
  redirectLines,
} from "./client-lines.ts";
import { type HaproxyModel, type HaproxyServer, hopVariable } from "./model.ts";

/** Names of the sections, for whoever speaks to HAProxy's control socket. */
export const frontendName = "clients";
export const backendName = "servers";

/** Longest time the process before a reload may take to finish what it has. */
const hardStopSeconds = 600;

/** How often a server is asked which share of its requests it can take. */
const weightIntervalMs = 1_000;

/** Client-sent headers that only the balancer may set. */
const proxyHeaders = [
  // A client that sent these itself would be whoever it likes (RFC 9440, section 4).
  "Client-Cert",
  "Client-Cert-Chain",
  "Forwarded",
  "X-Forwarded-For",
  "X-Forwarded-Host",
  "X-Forwarded-Port",
  "X-Forwarded-Prefix",
  "X-Forwarded-Proto",
  "X-Forwarded-Server",
  "X-Real-IP",
  hopHeader,
];

/** What HAProxy may have to answer itself, once it could read the request. */
const ownProblems: readonly ProblemStatus[] = [400, 405, 408, 429, 500, 502, 503, 504];

/** The text of `haproxy.cfg`. The same model always gives the same text. */
export function renderHaproxyConfig(model: HaproxyModel): string {
  const { lines } = model;
  const redirect = redirectLines(model);
  const sections = [
    "# Written by the load balancer's agent; changes made here are lost.",
    section("global", [...globalLines(model), ...lines.global]),
    section("defaults", [...defaultsLines(model), ...lines.defaults]),
    section(`frontend ${frontendName}`, [...frontendLines(model), ...lines.frontend]),
    section(`backend ${backendName}`, [...backendLines(model), ...lines.backend]),
    ...(redirect === undefined ? [] : [section("frontend redirect", redirect)]),
    ...(lines.sections.length === 0 ? [] : [lines.sections.join("\n")]),
    // Everything above has been read: nobody can ask HAProxy for it any more.
    section("global", [`unsetenv ${hopVariable}`]),
  ];
  return sections.join("\n\n") + "\n";
}

/**
 * What follows the name of a server, in the file and in the control socket's `add server`, which
 * knows no defaults: so every line says everything.
 */
export function renderServer(server: HaproxyServer, model: HaproxyModel): string {
  const { intervalMs, rise, fall } = model.healthCheck;
  const fastMs = fastIntervalMs(intervalMs);
  return [
    renderAddress(server.ip, server.port),
    `id ${serverId(server.name)}`,
    `weight ${fileWeight(server)}`,
    `check inter ${intervalMs}ms fastinter ${fastMs}ms downinter ${fastMs}ms`,
    `rise ${rise} fall ${fall}`,
    // One refused connection of real traffic is proof enough; the next check brings it back.
    "observe layer4 error-limit 1 on-error mark-down",
    ...weightWords(server),
    ...hopTlsWords(server, model),
  ].join(" ");
}

/**
 * Places on the ring of a hash, and of `random`, follow from the id: from its name, a server has the
 * same ones at every balancer and after every reload. Without an id, HAProxy before 3.0 gives
 * several servers that are added while it runs the same places, and one of them no request
 * (haproxy/haproxy#3413).
 */
function serverId(name: string): number {
  // From 1 to 2^31 - 1.
  return createHash("sha256").update(name).digest().readUInt32BE(0) % (2 ** 31 - 1) + 1;
}

/** HAProxy asks once a second; while nobody answers the last weight holds. */
function weightWords({ weightPort }: HaproxyServer): string[] {
  return weightPort === undefined
    ? []
    : [`agent-check agent-port ${weightPort} agent-inter ${weightIntervalMs}ms`];
}

/** The server must show a certificate of the cluster's authority that was issued to it. */
function hopTlsWords({ name, tls }: HaproxyServer, { cluster, tlsFiles }: HaproxyModel): string[] {
  if (tls !== true) return [];
  const host = renderHostIdentity({ cluster, role: "server", name });
  return [`ssl verify required ca-file ${tlsFiles?.clusterCa ?? "missing"} verifyhost ${host}`];
}

/** A file cannot say "drain"; weight 0 comes to the same while HAProxy starts. */
export function fileWeight({ draining, weight }: HaproxyServer): number {
  return draining ? 0 : weight;
}

/** Consistent hashing: a server that comes or goes moves only its own share of the clients. */
function balanceLines(algorithm: string): readonly string[] {
  const [method = "", what = "", header = ""] = algorithm.split(":");
  if (method === "random") return [`balance random(${drawCount})`];
  if (method !== "hash") return [`balance ${method}`];
  return [`balance ${header === "" ? what : `hdr(${header})`}`, "hash-type consistent"];
}

/** How often a server is looked at that is down, or may be going down. */
function fastIntervalMs(intervalMs: number): number {
  return Math.max(50, Math.round(intervalMs / 5));
}

function section(head: string, lines: readonly string[]): string {
  return [head, ...lines.map((line) => `  ${line}`)].join("\n");
}

function globalLines(model: HaproxyModel): string[] {
  const { maxConnections, runtime, user } = model;
  return [
    `maxconn ${maxConnections}`,
    // A low limit of open files then means fewer connections, not a balancer that does not start.
    "no strict-limits",
    // A port taken by another process is then an error, and not shared with it unnoticed.
    "noreuseport",
    `hard-stop-after ${hardStopSeconds}s`,
    `stats socket ${runtime.socket} mode 600 level admin expose-fd listeners`,
    `server-state-file ${runtime.serverState}`,
    ...clientGlobalLines(model),
    ...(user === undefined ? [] : [`user ${user}`, `group ${user}`]),
  ];
}

function defaultsLines(model: HaproxyModel): string[] {
  const { maxConnections, retries, timeouts, healthCheck, limits } = model;
  return [
    "mode http",
    `maxconn ${maxConnections}`,
    `timeout http-request ${timeouts.headersMs}ms`,
    `timeout http-keep-alive ${timeouts.keepAliveMs}ms`,
    `timeout client ${timeouts.clientMs}ms`,
    `timeout connect ${timeouts.connectMs}ms`,
    `timeout queue ${timeouts.connectMs}ms`,
    `timeout server ${timeouts.serverMs}ms`,
    `timeout tunnel ${timeouts.tunnelMs}ms`,
    `timeout check ${healthCheck.intervalMs}ms`,
    // A reload then never closes a kept-alive connection on which a request is on its way.
    "option idle-close-on-response",
    "option redispatch 1",
    `retries ${retries}`,
    "retry-on conn-failure empty-response response-timeout",
    "load-server-state-from-file global",
    ...ownProblems.map((status) => errorLine(status, limits)),
  ];
}

function errorLine(status: ProblemStatus, { ratePeriodMs }: HaproxyModel["limits"]): string {
  const seconds = status === 429 ? Math.ceil(ratePeriodMs / 1_000) : retryAfterSeconds;
  const extra = status === 429 || status === 503 ? ` hdr Retry-After ${seconds}` : "";
  // Nothing is special to HAProxy between single quotes, and the texts contain none.
  const body = `'${renderProblem(status)}'`;
  return `http-error status ${status} content-type ${problemContentType} string ${body}${extra}`;
}

function frontendLines(model: HaproxyModel): string[] {
  return [
    bindLine(model),
    "monitor-uri /dragoman/balancer",
    ...accessLogLines(model.accessLog),
    ...limitLines(model),
    "http-request deny deny_status 405 if { method CONNECT TRACE }",
    "http-request deny deny_status 400 if { req.ver 1.1 } ! { req.hdr(host) -m found }",
    // Only WebSockets may change protocol: a server that took h2c would leave our rules behind.
    "http-request del-header Upgrade unless { req.hdr(upgrade) -i websocket }",
    ...proxyHeaders.map((name) => `http-request del-header ${name}`),
    ...forwardingLines(model),
    // Whatever may change something is sent to a second server only when it has a key, by which
    // servers know that it was executed.
    "http-request disable-l7-retry unless { method GET HEAD OPTIONS } || " +
    `{ req.hdr(${keyHeader}) -m found }`,
    `default_backend ${backendName}`,
  ];
}

function backendLines(model: HaproxyModel): string[] {
  return [
    ...balanceLines(model.algorithm),
    "http-reuse safe",
    "option httpchk",
    "http-check send meth GET uri /dragoman/readyz ver HTTP/1.1 hdr Host balancer",
    "http-check expect status 200",
    ...model.servers.map((server) =>
      `server ${server.name} ${renderServer(server, model)}${server.maintenance ? " disabled" : ""}`
    ),
  ];
}
