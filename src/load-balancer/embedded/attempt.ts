import type { ClientRequest, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Backend } from "./backend.ts";
import { describeFailure } from "./health-check.ts";
import type { Hop } from "./hop.ts";
import type { RequestBody } from "./request-body.ts";
import type { SilenceWatch } from "./silence-watch.ts";

/** A client's request as it goes to whichever server takes it. */
export interface OutgoingRequest {
  readonly method: string;
  readonly path: string;
  /** Names and values by turns. */
  readonly headers: readonly string[];
  readonly body: RequestBody;
  /** What the choice of a server depends on, where it does. */
  readonly key?: string | undefined;
}

/** How one server took a request. */
export type Outcome =
  | { readonly type: "response"; readonly response: IncomingMessage }
  | {
    readonly type: "upgraded";
    readonly response: IncomingMessage;
    readonly socket: Duplex;
    /** What the server sent behind its answer. */
    readonly head: Buffer;
  }
  | Failure;

/**
 * `unreached`: no connection, so the server has seen nothing of the request. `broken`: it may have.
 * `silent`: it did not answer in time. `abandoned`: the client gave up.
 */
export interface Failure {
  readonly type: "unreached" | "broken" | "silent" | "abandoned";
  readonly reason: string;
}

export interface AttemptOptions {
  readonly connectMs: number;
  readonly watch: SilenceWatch;
  /** Aborted when the client hangs up: ends the request to the server at any time, answered or not. */
  readonly signal: AbortSignal;
}

/** Sends a request to one server once. Never rejects. */
export function attempt(
  backend: Backend,
  outgoing: OutgoingRequest,
  { connectMs, watch, signal }: AttemptOptions,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const { method, path, headers } = outgoing;
    const { host, port, hop } = backend;
    const place = { host, port, agent: hop.agent };
    const request = hop.request({ ...place, method, path, headers, setHost: false });
    let type: Failure["type"] = "unreached";
    let settled = false;
    const settle = (outcome: Outcome) => {
      if (settled) return; // the watch belongs to whoever passes the answer on
      settled = true;
      clearTimeout(timer);
      watch.stop();
      resolve(outcome);
    };
    const timer = setTimeout(() => {
      request.destroy(new Error(`no connection within ${connectMs} ms`));
    }, connectMs);
    watch.onSilence("server", () => {
      type = "silent";
      request.destroy(new Error("no answer in time"));
    });
    whenConnected(request, hop, () => {
      clearTimeout(timer);
      type = "broken";
      outgoing.body.sendTo(request);
    });
    request.on("response", (response) => settle({ type: "response", response }));
    request.on("upgrade", (response, socket, head) => {
      settle({ type: "upgraded", response, socket, head });
    });
    // Stays for the request's life: what comes after the answer is the response's to report.
    request.on("error", (error) => {
      outgoing.body.stop();
      settle({ type: signal.aborted ? "abandoned" : type, reason: describeFailure(error) });
    });
    endWith(request, signal);
  });
}

function whenConnected(request: ClientRequest, hop: Hop, begin: () => void): void {
  request.once("socket", (socket) => {
    // The runtime's HTTP client sends a request again by itself, whatever its method, when a kept
    // connection turns out to be dead. It does so only for what it marked as reused.
    request.reusedSocket = false;
    hop.whenReady(socket, begin);
  });
}

function endWith(request: ClientRequest, signal: AbortSignal): void {
  const abort = () => void request.destroy(new Error("the client hung up"));
  if (signal.aborted) return abort();
  signal.addEventListener("abort", abort, { once: true });
  request.once("close", () => signal.removeEventListener("abort", abort));
}
