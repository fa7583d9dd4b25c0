import type { LoadBalancerConfig } from "../../config/schemas.ts";

export type AccessLogTarget = LoadBalancerConfig["accessLog"];

/** Longest line; HAProxy cuts off what is longer. */
const lineBytesMax = 8_192;

/** Slots of captured header fields, in the order in which the frontend declares them. */
const requestIdSlot = 0;
const cidSlot = 0;

/** What a frontend needs so that each request is logged as one line of JSON. */
export function accessLogLines(target: AccessLogTarget): readonly string[] {
  if (target === "off") return [];
  return [
    // Standard output: the agent has put a file there, so that neither syslog nor the agent itself
    // has to be alive.
    `log stdout len ${lineBytesMax} format raw local0 info`,
    "capture request header X-Request-Id len 64",
    "capture response header X-Dragoman-Cid len 64",
    // Without the query, which may hold what nobody else is to read.
    "http-request set-var(txn.path) path",
    "http-request set-var(txn.method) method",
    `log-format '${logFormat}'`,
  ];
}

/** Texts that a client chose are escaped by HAProxy's `json` converter. */
const logFormat = "{" + [
  `"time":%Ts%ms`,
  `"client":"%ci"`,
  `"method":"%[var(txn.method),json(utf8s)]"`,
  `"path":"%[var(txn.path),json(utf8s)]"`,
  `"status":%ST`,
  `"server":"%s"`,
  `"cid":"%[capture.res.hdr(${cidSlot}),json(utf8s)]"`,
  `"requestId":"%[capture.req.hdr(${requestIdSlot}),json(utf8s)]"`,
  `"totalMs":%Ta`,
  `"queueMs":%Tw`,
  `"connectMs":%Tc`,
  `"serverMs":%Tr`,
  `"bytes":%B`,
  `"end":"%ts"`,
].join(",") + "}";
