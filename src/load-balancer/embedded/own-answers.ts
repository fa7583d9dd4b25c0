import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import {
  balancerProblems,
  problemContentType,
  type ProblemStatus,
  renderProblem,
  retryAfterSeconds,
} from "../problems.ts";

export interface ProblemOptions {
  /** Ends the client's connection, as after a request whose end is in doubt. Default true. */
  readonly close?: boolean;
  /** Says more precisely than the status's own text what is wrong. */
  readonly detail?: string;
}

/** Answers a request with a problem. Does nothing when a response has begun. */
export function sendProblem(
  response: ServerResponse,
  status: ProblemStatus,
  { close = true, detail }: ProblemOptions = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const body = renderProblem(status, detail);
  response.writeHead(status, balancerProblems[status][0], problemHeaders(status, body, close));
  response.end(body);
}

/** A problem as a whole HTTP/1.1 response, for sockets that have no response object. */
export function renderProblemResponse(status: ProblemStatus, detail?: string): string {
  const body = renderProblem(status, detail);
  const headers = Object.entries(problemHeaders(status, body, true));
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${balancerProblems[status][0]}`, ...lines, "", body].join("\r\n");
}

function problemHeaders(
  status: ProblemStatus,
  body: string,
  close: boolean,
): Record<string, string> {
  return {
    "Content-Type": problemContentType,
    "Content-Length": String(Buffer.byteLength(body)),
    "Cache-Control": "no-store",
    ...(status === 429 || status === 503 ? { "Retry-After": String(retryAfterSeconds) } : {}),
    ...(status === 405 ? { Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" } : {}),
    ...(close ? { Connection: "close" } : {}),
  };
}
