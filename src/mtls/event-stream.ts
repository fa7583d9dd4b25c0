import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { toProblem } from "./problem.ts";

/** What a route returns to answer with events instead of one JSON value. */
export class EventStream {
  readonly #events: AsyncIterable<unknown>;

  constructor(events: AsyncIterable<unknown>) {
    this.#events = events;
  }

  /**
   * Sends each item as one `data:` line of JSON, and a comment every 15 s, which finds callers that
   * have gone without a word. When the items end with an error, a last event named `error` holds it
   * as a problem. Returns when the items end or `signal` is aborted; it never throws.
   */
  async send(
    response: ServerResponse,
    { signal, cid }: { readonly signal: AbortSignal; readonly cid: string },
  ): Promise<void> {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.flushHeaders();
    const beat = setInterval(() => response.write(": still here\n\n"), 15_000);
    const iterator = this.#events[Symbol.asyncIterator]();
    const aborted = whenAborted(signal);
    try {
      while (!signal.aborted) {
        const next = await Promise.race([iterator.next(), aborted]);
        if (next === undefined || next.done) break;
        const isRoom = response.write(`data: ${JSON.stringify(next.value)}\n\n`);
        if (!isRoom) await Promise.race([once(response, "drain"), aborted]);
      }
    } catch (error) {
      if (!signal.aborted) {
        response.write(`event: error\ndata: ${JSON.stringify(toProblem(error, cid))}\n\n`);
      }
    } finally {
      clearInterval(beat);
      // Not awaited: a generator that waits for its next item ends only when that comes or fails.
      iterator.return?.().catch(() => {});
      response.end();
    }
  }
}

/**
 * Marks what a route returns as a stream of events (`text/event-stream`). The iteration is ended
 * when the caller hangs up or the server closes; a generator that waits for something should end
 * its waiting with the request's `signal`.
 */
export function eventStream(events: AsyncIterable<unknown>): EventStream {
  return new EventStream(events);
}

function whenAborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
