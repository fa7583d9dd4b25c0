const brand: unique symbol = Symbol.for("dragoman.stream-response");

/** What can be sent while it is made. */
export type StreamSource =
  | ReadableStream<Uint8Array | string>
  | AsyncIterable<Uint8Array | string>;

export interface StreamResponseOptions {
  /** Default: what the service set as `Content-Type`, else `application/octet-stream`. */
  readonly type?: string;
  /** How many bytes will come, where that is known: clients see progress, and may ask for ranges. */
  readonly sizeBytes?: number;
}

/** A stream as a service's answer. */
export interface StreamResponse extends StreamResponseOptions {
  readonly [brand]: true;
  readonly source: StreamSource;
}

/**
 * Answers with bytes or texts as they are made. A service may also return the source itself; this
 * says more of it. When the client leaves, the source is cancelled (of a generator, `finally` runs)
 * and `ctx.signal` is aborted. The channel's time limit ends when the first byte is on its way.
 */
export function streamResponse(
  source: StreamSource,
  options: StreamResponseOptions = {},
): StreamResponse {
  return { ...options, source, [brand]: true };
}

/** True for what any copy of this module made. */
export function isStreamResponse(value: object): value is StreamResponse {
  return brand in value;
}

/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** A text as it is; anything else is written as JSON. */
  readonly data: unknown;
  readonly event?: string;
  /** What a client that reconnects says in `Last-Event-ID`. */
  readonly id?: string;
  /** When a client that lost the stream is to come back. */
  readonly retryMs?: number;
}

/** Answers with server-sent events, for `EventSource` in browsers. */
export function eventStream(events: AsyncIterable<ServerSentEvent>): StreamResponse {
  return streamResponse(renderEvents(events), { type: "text/event-stream" });
}

async function* renderEvents(events: AsyncIterable<ServerSentEvent>): AsyncGenerator<string> {
  for await (const { data, event, id, retryMs } of events) {
    const text = typeof data === "string" ? data : JSON.stringify(data);
    const lines = [
      ...(id === undefined ? [] : [`id: ${oneLine(id)}`]),
      ...(event === undefined ? [] : [`event: ${oneLine(event)}`]),
      ...(retryMs === undefined ? [] : [`retry: ${Math.round(retryMs)}`]),
      ...text.split(/\r\n|\r|\n/).map((line) => `data: ${line}`),
    ];
    yield `${lines.join("\n")}\n\n`;
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n\0]/g, "");
}
