import type { ClientRequest, IncomingMessage } from "node:http";
import { type Agent, request as startRequest } from "node:https";
import type { Code } from "../errors/codes.ts";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { readBytes } from "./body.ts";
import { inspectServer, invalidityOf } from "./certificate-validity.ts";
import { explainFailure } from "./failure-reason.ts";
import type { Method } from "./json-api.ts";

/** Where calls go. */
export interface Target {
  readonly origin: string;
  /** Stands before every path; empty, or `/...` without a slash at its end. */
  readonly prefix: string;
  /** The certificate that this side shows, PEM. */
  readonly ownCert: string;
}

export interface Outgoing {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the whole call, with a second attempt. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** Undefined when it was too large. */
  readonly body: Uint8Array | undefined;
}

/** The connection failed before the answer was complete; `cause` is the system's error. */
export class BrokenConnection extends Error {
  override readonly name = "BrokenConnection";
  /** The request was first sent on a connection that had served others before. */
  readonly wasKept: boolean;

  constructor(cause: unknown, wasKept: boolean) {
    super("The connection broke", { cause });
    this.wasKept = wasKept;
  }
}

/** No answer of ours is larger; what is larger does not come from us. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** One request and its whole answer. Throws BrokenConnection, MTLS_TIMEOUT, the signal's reason. */
export function send(target: Target, call: Outgoing, agent: Agent): Promise<Answer> {
  const { method, path, headers, timeoutMs, signal } = call;
  signal.throwIfAborted();
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  return new Promise((resolve, reject) => {
    const request = startRequest(new URL(target.origin + target.prefix + path), {
      method,
      agent,
      headers: { Accept: "application/json", ...bodyHeaders(body), ...headers },
    });
    const abandon = watchSockets(request, () => wasKept = true);
    let wasKept = false;
    const settle = (act: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const giveUp = (error: unknown) => {
      abandon();
      settle(() => reject(error));
    };
    const onAbort = () => giveUp(signal.reason);
    const timer = setTimeout(() => {
      const params = { address: target.origin, operation: `${method} ${path}`, timeoutMs };
      giveUp(new PlatformError("MTLS_TIMEOUT", params));
    }, timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    const broken = (error: unknown) => settle(() => reject(new BrokenConnection(error, wasKept)));
    request.on("error", broken);
    request.on("response", (response: IncomingMessage) => {
      readBytes(response, maxAnswerBytes).then(
        (bytes) => settle(() => resolve({ status: response.statusCode ?? 0, body: bytes })),
        broken,
      );
    });
    request.end(body);
  });
}

/**
 * Returns what gives a request up. Destroying one on a kept connection makes the runtime send it
 * again on a new one, and tells nobody: that new connection is destroyed as well.
 */
function watchSockets(request: ClientRequest, onKept: () => void): () => void {
  let isAbandoned = false;
  request.on("socket", (socket) => {
    if (request.reusedSocket) onKept();
    if (isAbandoned) socket.destroy();
  });
  return () => {
    isAbandoned = true;
    request.destroy();
  };
}

function bodyHeaders(body: Uint8Array | undefined): Record<string, string> {
  if (body === undefined) return {};
  return { "Content-Type": "application/json", "Content-Length": String(body.length) };
}

/** A system's or a TLS error as MTLS_UNREACHABLE or MTLS_UNTRUSTED, with the reason in words. */
export async function explain(
  error: unknown,
  { origin, ownCert }: Target,
): Promise<PlatformError> {
  if (isPlatformError(error)) return error; // the refusal of checkServerIdentity
  const { isUntrusted, code, reason } = explainFailure(error);
  const failure = (found: Code, why: string) =>
    new PlatformError(found, { address: origin, reason: why }, { cause: error });
  const own = invalidityOf(ownCert);
  if (own !== undefined && (isUntrusted || code === "ECONNRESET")) {
    return failure("MTLS_UNTRUSTED", `this side's own ${own}`);
  }
  if (!isUntrusted) return failure("MTLS_UNREACHABLE", reason);
  const invalid = await inspectServer(origin);
  return failure("MTLS_UNTRUSTED", invalid === undefined ? reason : `its ${invalid}`);
}
