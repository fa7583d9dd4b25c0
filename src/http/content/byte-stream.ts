import { isStreamResponse, type StreamSource } from "../../service/http/stream-response.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** An output that is sent while it is made. */
export interface StreamOutput {
  readonly stream: ReadableStream<Bytes>;
  readonly type: string | undefined;
  readonly sizeBytes: number | undefined;
}

/** The stream that a service returned; undefined for any other output. */
export function streamOutput(output: object): StreamOutput | undefined {
  if (isStreamResponse(output)) {
    const { source, type, sizeBytes } = output;
    return { stream: toByteStream(source), type, sizeBytes };
  }
  if (output instanceof ReadableStream || isAsyncIterable(output)) {
    return { stream: toByteStream(output), type: undefined, sizeBytes: undefined };
  }
  return undefined;
}

function isAsyncIterable(value: object): value is AsyncIterable<Uint8Array | string> {
  return Symbol.asyncIterator in value;
}

/** Chunks are asked for one at a time, when the client has taken the one before. */
export function toByteStream(source: StreamSource): ReadableStream<Bytes> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Bytes>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(toBytes(value));
    },
    async cancel() {
      await iterator.return?.();
    },
  }, { highWaterMark: 0 });
}

const encoder = new TextEncoder();

function toBytes(chunk: unknown): Bytes {
  if (typeof chunk === "string") return encoder.encode(chunk);
  // Nobody shares the memory of what a service returns with another thread.
  if (chunk instanceof Uint8Array) return chunk as Bytes;
  throw new TypeError(`A service's stream gave a ${typeof chunk}, not bytes or text`);
}

export interface StreamWatch {
  /** Called once, when the stream has ended, failed or been left. */
  readonly onEnd: () => void | Promise<void>;
  /** Called before that when the stream failed. */
  readonly onFailure?: (error: unknown) => void;
}

/** The same stream, watched. */
export function watchStream(
  stream: ReadableStream<Bytes>,
  { onEnd, onFailure }: StreamWatch,
): ReadableStream<Bytes> {
  const reader = stream.getReader();
  return new ReadableStream<Bytes>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        await onEnd();
        controller.close();
      } catch (error) {
        onFailure?.(error);
        await onEnd();
        throw error;
      }
    },
    async cancel(reason) {
      try {
        await reader.cancel(reason);
      } finally {
        await onEnd();
      }
    },
  }, { highWaterMark: 0 });
}

/** The bytes of a stream from `start` to before `end`; the rest is not asked for. */
export function cutStream(
  stream: ReadableStream<Bytes>,
  { start, end }: { readonly start: number; readonly end: number },
): ReadableStream<Bytes> {
  return toByteStream(cut(stream, start, end));
}

async function* cut(
  stream: ReadableStream<Bytes>,
  start: number,
  end: number,
): AsyncGenerator<Bytes> {
  let position = 0;
  for await (const chunk of stream) {
    const from = Math.max(0, start - position);
    const to = Math.min(chunk.length, end - position);
    position += chunk.length;
    if (from < to) yield chunk.subarray(from, to);
    if (position >= end) return;
  }
}
