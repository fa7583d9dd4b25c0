import type { ClientRequest, IncomingMessage } from "node:http";
import { hasBody } from "./headers.ts";
import type { SilenceWatch } from "./silence-watch.ts";

/** A body larger than this is not kept, so its request is not repeated once it has begun. */
export const replayBytesMax = 16 * 1024;

/** A client that has sent this much is not one that only holds a connection. */
const arrivedBytesMin = 8 * 1024;

/** A body that nobody wants any more is read on for this much, so that the client sees its answer. */
const discardBytesMax = 16 * 1024 * 1024;

/** The body of a client's request on its way to one server, or to the next one. */
export class RequestBody {
  readonly #source: IncomingMessage;
  readonly #watch: SilenceWatch;
  #kept: Buffer[] | undefined = [];
  #receivedBytes = 0;
  #ended: boolean;
  #detach: () => void = () => {};

  constructor(source: IncomingMessage, watch: SilenceWatch) {
    this.#source = source;
    this.#watch = watch;
    this.#ended = !hasBody(source.rawHeaders);
    source.pause();
  }

  /** True while all that was read of it is still at hand. */
  get isReplayable(): boolean {
    return this.#kept !== undefined;
  }

  /** True when all of it, or as much as decides that it is coming, is there. */
  get hasArrived(): boolean {
    return this.#ended || this.#receivedBytes >= arrivedBytesMin;
  }

  /** Sends it, from the beginning, as fast as `target` takes it. Ends a sending before this one. */
  sendTo(target: ClientRequest): void {
    this.#detach();
    for (const chunk of this.#kept ?? []) target.write(chunk);
    if (this.#ended) return this.#finish(target);
    const onDrain = () => {
      this.#watch.awaiting("client");
      this.#source.resume();
    };
    const onData = (chunk: Buffer) => {
      this.#keep(chunk);
      if (target.write(chunk)) return this.#watch.awaiting("client");
      this.#source.pause();
      this.#watch.awaiting("server");
      target.once("drain", onDrain);
    };
    const onEnd = () => {
      this.#ended = true;
      this.#detach();
      this.#finish(target);
    };
    this.#detach = () => {
      this.#source.off("data", onData).off("end", onEnd).pause();
      target.off("drain", onDrain);
      this.#detach = () => {};
    };
    this.#source.on("data", onData).on("end", onEnd);
    onDrain();
  }

  /** Stops sending and keeps what is left unread. */
  stop(): void {
    this.#detach();
  }

  /** Stops sending; reads the rest and throws it away, so that the connection can go on. */
  discard(): void {
    this.#detach();
    if (this.#ended || this.#source.destroyed) return;
    let bytes = 0;
    this.#watch.onSilence("client", () => this.#source.destroy());
    this.#watch.awaiting("client");
    this.#source.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      this.#watch.awaiting("client");
      if (bytes > discardBytesMax) this.#source.destroy();
    });
    this.#source.once("close", () => this.#watch.stop());
    this.#source.resume();
  }

  #finish(target: ClientRequest): void {
    target.end();
    this.#watch.awaiting("server");
  }

  #keep(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > replayBytesMax) this.#kept = undefined;
    this.#kept?.push(chunk);
  }
}
