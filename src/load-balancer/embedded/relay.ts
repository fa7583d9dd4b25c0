import type { IncomingMessage, ServerResponse } from "node:http";
import { relayedHeaders } from "./headers.ts";
import { sendProblem } from "./own-answers.ts";
import type { SilenceWatch } from "./silence-watch.ts";

export interface RelayOptions {
  readonly watch: SilenceWatch;
  /** Asked when the head is sent: the client is to open a new connection for its next request. */
  readonly closeAfter: boolean;
}

/**
 * Passes a server's answer on to the client as it comes and as fast as the client takes it. When
 * the server breaks off, so does the client's connection: it must not take a part for the whole.
 * Resolves when the exchange is over, in whichever way.
 */
export function relayResponse(
  answer: IncomingMessage,
  response: ServerResponse,
  { watch, closeAfter }: RelayOptions,
): Promise<void> {
  if (response.destroyed || !sendHead(answer, response, closeAfter)) {
    answer.destroy();
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const cutOff = () => breakOff(response);
    watch.onSilence("server", cutOff);
    watch.onSilence("client", cutOff);
    watch.awaiting("server");
    let isBodyAwaited = true;
    answer.on("data", (chunk: Buffer) => {
      isBodyAwaited = false;
      if (response.write(chunk)) return watch.awaiting("server");
      answer.pause();
      watch.awaiting("client");
    });
    response.on("drain", () => {
      watch.awaiting("server");
      answer.resume();
    });
    answer.on("end", () => {
      isBodyAwaited = false;
      watch.awaiting("client"); // it may still have to read what is buffered
      if (answer.complete) response.end();
    });
    answer.on("error", cutOff);
    answer.on("close", () => {
      if (!answer.complete) cutOff();
    });
    response.on("close", () => {
      isBodyAwaited = false;
      watch.stop();
      answer.destroy();
      resolve();
    });
    // A head whose body takes its time, such as a stream of events, must not wait for it.
    setImmediate(() => isBodyAwaited && response.flushHeaders());
  });
}

function sendHead(answer: IncomingMessage, response: ServerResponse, close: boolean): boolean {
  const headers = relayedHeaders(answer.rawHeaders);
  if (close) headers.push("Connection", "close");
  try {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
    return true;
  } catch {
    // The library refuses to write what it has read: a field with characters of no use in HTTP.
    sendProblem(response, 502);
    return false;
  }
}

/** Ends the client's connection in a way that no client can mistake for the end of the answer. */
export function breakOff(response: ServerResponse): void {
  const { socket } = response;
  if (socket !== null && "resetAndDestroy" in socket) socket.resetAndDestroy();
  response.destroy();
}
