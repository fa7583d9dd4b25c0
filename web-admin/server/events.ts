import type { ServerResponse } from "node:http";
import { answered, type Call } from "./http/router.ts";
import type { Session, SessionStore } from "./sessions.ts";
import type { ClusterWatch } from "./overview/watch.ts";

const heartbeatMs = 15_000;
/** A browser that has left this much unread is not keeping up; it connects again. */
const unreadBytesMax = 1024 * 1024;

/** Every open stream, so that logging out and stopping end them at once. */
export class EventStreams {
  readonly #sessions: SessionStore;
  readonly #open = new Map<ServerResponse, string>();

  constructor(sessions: SessionStore) {
    this.#sessions = sessions;
  }

  /**
   * Server-sent events: `overview` whenever something has changed, and every 15 s `heartbeat`,
   * by which the page knows that silence means no change; `session-ended` is the last one.
   */
  stream({ request, response }: Call, session: Session, watch: ClusterWatch): typeof answered {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write("retry: 1000\n\n");
    this.#open.set(response, session.id);
    const send = (event: string, data: string) => {
      if (!this.#sessions.isLive(session.id)) this.endSession(session.id);
      else if (response.writableLength > unreadBytesMax) response.destroy();
      else response.write(`event: ${event}\ndata: ${data}\n\n`);
    };
    const unsubscribe = watch.subscribe((json) => send("overview", json));
    const timer = setInterval(
      () => send("heartbeat", JSON.stringify({ at: new Date().toISOString() })),
      heartbeatMs,
    );
    const leave = () => {
      clearInterval(timer);
      unsubscribe();
      this.#open.delete(response);
    };
    request.once("close", leave);
    response.once("close", leave);
    return answered;
  }

  /** Ends the streams of one session. */
  endSession(id: string): void {
    for (const [response, sessionId] of this.#open) {
      if (sessionId === id) response.end("event: session-ended\ndata: {}\n\n");
    }
  }

  endAll(): void {
    for (const response of this.#open.keys()) response.end();
  }
}
