import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { encodeBytes } from "./byte-text.ts";
import type { Engine } from "./engine.ts";
import { ProtocolError } from "./protocol-error.ts";
import { error } from "./replies.ts";
import { type RequestLimits, RequestParser, unauthenticatedLimits } from "./request-parser.ts";
import type { Session, SessionPeer } from "./session.ts";

/** Replies of this length leave before further requests are looked at. */
const flushLength = 256 * 1024;

export interface ConnectionHost {
  readonly engine: Engine;
  readonly limits: RequestLimits;
  /** Asks for `flush` of this connection, after changes have been written to the data file. */
  flushSoon(connection: Connection): void;
  /** Does so at once. */
  flushNow(): void;
}

/** One client: bytes in, requests to the engine, replies out. */
export class Connection implements SessionPeer {
  readonly address: string;
  readonly localAddress: string;
  readonly session: Session;
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #parser: RequestParser;
  #output = "";
  #working = false;
  #closing = false;

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    this.address = `${socket.remoteAddress}:${socket.remotePort}`;
    this.localAddress = `${socket.localAddress}:${socket.localPort}`;
    this.session = host.engine.openSession(this);
    this.#parser = new RequestParser(host.limits);
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#parser.push(chunk);
      this.#work();
    });
    socket.on("drain", () => this.resume());
    // A client that goes away, in whatever way, is an everyday matter; "close" follows.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#closing = true;
      host.engine.closeSession(this.session);
    });
  }

  send(encoded: string): void {
    if (this.#closing) return;
    this.#output += encoded;
    this.#host.flushSoon(this);
    if (!this.#working) this.#dropWhenTooSlow();
  }

  resume(): void {
    if (this.#closing) return;
    this.#socket.resume();
    // Not from within another client's request.
    queueMicrotask(() => this.#work());
  }

  close(): void {
    if (this.#closing) return;
    this.#host.flushNow();
    this.#closing = true;
    this.#socket.end(() => this.#socket.destroy());
  }

  /** Hands the replies so far to the socket. */
  flush(): void {
    if (this.#output === "") return;
    const bytes = encodeBytes(this.#output);
    this.#output = "";
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Ends the connection with what was not sent. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Answers requests until there are none, one must wait, or the client does not read on. */
  #work(): void {
    if (this.#working) return;
    this.#working = true;
    try {
      while (!this.#closing && this.session.blocked === undefined && !this.#isCongested()) {
        if (!this.#answerNext()) break;
      }
    } catch (failure) {
      if (!(failure instanceof ProtocolError)) throw failure;
      this.send(error(`ERR Protocol error: ${failure.message}`));
      this.close();
    } finally {
      this.#working = false;
    }
  }

  #answerNext(): boolean {
    const restricted = !this.session.authenticated;
    this.#parser.restricted = restricted;
    this.#parser.limits = restricted ? unauthenticatedLimits : this.#host.limits;
    const args = this.#parser.next();
    if (args === undefined) return false;
    const reply = this.#host.engine.execute(this.session, args);
    if (reply !== undefined) this.send(reply);
    return true;
  }

  #isCongested(): boolean {
    if (this.#output.length > flushLength) this.#host.flushNow();
    if (!this.#socket.writableNeedDrain) return false;
    this.#socket.pause();
    return true;
  }

  /** Messages of channels cannot be held back; whoever does not read them is dropped. */
  #dropWhenTooSlow(): void {
    const limit = this.#host.engine.settings.getNumber("client-output-buffer-limit-pubsub");
    if (this.#output.length + this.#socket.writableLength <= limit) return;
    this.#closing = true;
    this.destroy();
  }
}
