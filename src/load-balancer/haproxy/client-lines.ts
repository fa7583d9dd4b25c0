import { problemContentType, renderProblem } from "../problems.ts";
import type { HaproxyModel } from "./model.ts";
import type { TlsFiles } from "./tls-files.ts";

/** A head that is too large by so much is still read, and told so. */
const headRoomBytes = 8_192;

/**
 * What is kept free, however much of a body follows, for the fields that the balancer adds. The
 * largest by far is a client's certificate; without room for it HAProxy answers 500.
 */
const addedFieldsBytes = 8_192;

/** So much of a body is awaited before a server is asked, where `timeouts.bodyMs` is set. */
const awaitedBodyBytes = 8_192;

/** Addresses that are remembered; with more clients than these the oldest are forgotten. */
const addressesMax = 100_000;

/** What goes into `global` for the sake of clients' connections. */
export function clientGlobalLines({ limits, tlsFiles }: HaproxyModel): string[] {
  const directory = tlsFiles === undefined ? undefined : quote(tlsFiles.directory);
  return [
    `tune.bufsize ${limits.headerBytes + headRoomBytes + addedFieldsBytes}`,
    `tune.maxrewrite ${addedFieldsBytes}`,
    ...(directory === undefined ? [] : [`ca-base ${directory}`, `crt-base ${directory}`]),
  ];
}

/** The listening socket of the frontend. */
export function bindLine({ listen, tls, tlsFiles }: HaproxyModel): string {
  if (tls === undefined || tlsFiles === undefined) return `bind ${listen}`;
  const { minVersion, http2 = true, clientCertificate } = tls;
  return [
    `bind ${listen} ssl`,
    ...tlsFiles.certificates.map((name) => `crt ${name}`),
    `ssl-min-ver TLSv${minVersion}`,
    `alpn ${http2 ? "h2,http/1.1" : "http/1.1"}`,
    ...verifyWords(tlsFiles, clientCertificate),
  ].join(" ");
}

function verifyWords({ clientCa }: TlsFiles, clientCertificate: string): string[] {
  if (clientCertificate === "none" || clientCa === undefined) return [];
  return [`ca-file ${clientCa}`, `verify ${clientCertificate}`];
}

/** What one client may ask for. */
export function limitLines({ limits, timeouts }: HaproxyModel): string[] {
  const { connectionsPerAddress, requestsPerAddress, ratePeriodMs, headerBytes } = limits;
  const isTracked = connectionsPerAddress !== undefined || requestsPerAddress !== undefined;
  const rate = `http_req_rate(${ratePeriodMs}ms)`;
  return [
    ...(isTracked
      ? [
        `stick-table type ipv6 size ${addressesMax} expire ${
          2 * ratePeriodMs
        }ms store conn_cur,${rate}`,
        "tcp-request connection track-sc0 src,ipmask(32,64)",
      ]
      : []),
    ...(connectionsPerAddress === undefined ? [] : connectionLines(connectionsPerAddress)),
    ...(requestsPerAddress === undefined
      ? []
      : [`http-request deny deny_status 429 if { sc0_http_req_rate gt ${requestsPerAddress} }`]),
    `http-request return status 431 content-type ${problemContentType} ` +
    `string '${renderProblem(431)}' if { req.hdrs,length gt ${headerBytes} }`,
    ...(timeouts.bodyMs === undefined ? [] : [
      `http-request wait-for-body time ${timeouts.bodyMs}ms at-least ${awaitedBodyBytes} ` +
      "unless { method GET HEAD OPTIONS }",
    ]),
  ];
}

/**
 * A connection too many is told so, and keeps no other from being served. Whoever opens as many
 * again is not answered any more.
 */
function connectionLines(max: number): string[] {
  return [
    `tcp-request connection reject if { sc0_conn_cur gt ${2 * max} }`,
    `tcp-request connection set-var(sess.surplus) bool(true) if { sc0_conn_cur gt ${max} }`,
    "http-request deny deny_status 429 if { var(sess.surplus) -m bool }",
  ];
}

/** What servers are told of the client, after everything that clients said of it was removed. */
export function forwardingLines({ tls, hopHeader }: HaproxyModel): string[] {
  return [
    "option forwardfor",
    `http-request set-header X-Forwarded-Proto ${tls === undefined ? "http" : "https"}`,
    "http-request set-header X-Forwarded-Host %[req.hdr(host)] if { req.hdr(host) -m found }",
    // RFC 9440: the certificate as a byte sequence of structured fields.
    ...(tls === undefined || tls.clientCertificate === "none"
      ? []
      : ["http-request set-header Client-Cert :%[ssl_c_der,base64]: if { ssl_c_used }"]),
    `http-request set-header ${hopHeader.name} "${hopHeader.value}"`,
  ];
}

/** A second frontend that sends plain HTTP to where TLS is; none when nobody asked for it. */
export function redirectLines({ redirect, tlsPort }: HaproxyModel): string[] | undefined {
  if (redirect === undefined) return undefined;
  const port = tlsPort === 443 ? "" : `:${tlsPort}`;
  return [
    `bind ${redirect}`,
    "http-request deny deny_status 400 unless { req.hdr(host),length gt 0 }",
    "http-request set-var(txn.host) req.hdr(host),regsub(:[0-9]+$,)",
    `http-request redirect location https://%[var(txn.host)]${port}%[pathq] code 308`,
  ];
}

/** Nothing is special to HAProxy between single quotes but the quote itself. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
