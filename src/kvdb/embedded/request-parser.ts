import { Buffer } from "node:buffer";
import { splitInline } from "./inline-request.ts";
import { ProtocolError } from "./protocol-error.ts";

/** What a client may send at most. */
export interface RequestLimits {
  /** Size of one argument. */
  readonly bulkBytes: number;
  /** Arguments of one request. */
  readonly arguments: number;
}

/** A line that announces a length, or an inline request, may be this long. */
const lineBytesMax = 64 * 1024;
/** What a client that has not proven who it is may send: enough for AUTH. */
export const unauthenticatedLimits: RequestLimits = { bulkBytes: 16_384, arguments: 10 };

const [cr, lf, star, dollar, minus] = [13, 10, 42, 36, 45];

/**
 * Cuts a stream of bytes into requests, each a list of byte strings (one character a byte).
 * Takes pieces of any size and keeps what is unfinished; nothing is looked at twice.
 */
export class RequestParser {
  limits: RequestLimits;
  /** The texts of errors say so while the client has not authenticated. */
  restricted = false;
  #buffer: Buffer = Buffer.alloc(0);
  #position = 0;
  #end = 0;
  /** The request that is being read. */
  #args: string[] = [];
  #missing = 0;
  #bulkLength = -1;

  readonly #strict: boolean;
  #consumed = 0;

  /** `strict` refuses inline requests and checks what ends each argument, as files need it. */
  constructor(limits: RequestLimits, { strict = false } = {}) {
    this.limits = limits;
    this.#strict = strict;
  }

  /** Bytes up to the end of what was read so far. */
  get consumedBytes(): number {
    return this.#consumed - (this.#end - this.#position);
  }

  /** True between two requests. */
  get isIdle(): boolean {
    return this.#missing === 0 && this.#position === this.#end;
  }

  /** Takes the next bytes of the stream; the parser owns them from now on. */
  push(chunk: Buffer): void {
    this.#consumed += chunk.length;
    if (this.#position === this.#end) {
      this.#buffer = chunk;
      this.#position = 0;
      this.#end = chunk.length;
      return;
    }
    const rest = this.#end - this.#position;
    const needed = rest + chunk.length;
    if (this.#end + chunk.length > this.#buffer.length) {
      const larger = needed * 2 <= this.#buffer.length
        ? this.#buffer // enough room once the consumed part is dropped
        : Buffer.allocUnsafe(Math.max(needed * 2, 4_096));
      this.#buffer.copy(larger, 0, this.#position, this.#end);
      this.#buffer = larger;
      this.#position = 0;
      this.#end = rest;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole request, or undefined when more bytes are needed. Throws ProtocolError. */
  next(): string[] | undefined {
    while (this.#missing === 0) {
      if (this.#position === this.#end) return undefined;
      if (this.#buffer[this.#position] !== star) {
        if (this.#strict) throw new ProtocolError("expected '*'");
        const args = this.#readInline();
        if (args === undefined || args.length > 0) return args;
        continue;
      }
      const count = this.#readLength("mbulk count", "multibulk");
      if (count === undefined) return undefined;
      if (count > 0) {
        this.#args = [];
        this.#missing = count;
      }
    }
    return this.#readBulks();
  }

  #readBulks(): string[] | undefined {
    while (this.#missing > 0) {
      if (this.#bulkLength < 0) {
        if (this.#position === this.#end) return undefined;
        const kind = this.#buffer[this.#position]!;
        if (kind !== dollar) {
          throw new ProtocolError(`expected '$', got '${String.fromCharCode(kind)}'`);
        }
        const length = this.#readLength("bulk count", "bulk");
        if (length === undefined) return undefined;
        this.#bulkLength = length;
      }
      const end = this.#position + this.#bulkLength;
      if (end + 2 > this.#end) return undefined;
      if (this.#strict && (this.#buffer[end] !== cr || this.#buffer[end + 1] !== lf)) {
        throw new ProtocolError("an argument does not end where its length says");
      }
      this.#args.push(this.#buffer.toString("latin1", this.#position, end));
      this.#position = end + 2;
      this.#bulkLength = -1;
      this.#missing--;
    }
    return this.#args;
  }

  /** Reads `*<number>\r\n` or `$<number>\r\n`, once the whole line is there. */
  #readLength(line: string, what: "multibulk" | "bulk"): number | undefined {
    let at = this.#position + 1;
    const first = at;
    let value = 0;
    let isNumber = true;
    const negative = this.#buffer[at] === minus;
    if (negative) at++;
    for (; at < this.#end && this.#buffer[at] !== cr; at++) {
      const digit = this.#buffer[at]! - 48;
      isNumber &&= digit >= 0 && digit <= 9;
      value = value * 10 + digit;
    }
    if (at >= this.#end) {
      if (at - first > lineBytesMax) throw new ProtocolError(`too big ${line} string`);
      return undefined;
    }
    if (at + 1 >= this.#end) return undefined;
    isNumber &&= at > first + (negative ? 1 : 0);
    const limit = what === "bulk" ? this.limits.bulkBytes : this.limits.arguments;
    if (this.restricted) this.#checkRestricted(what, value, limit);
    if (!isNumber || value > limit || (negative && what === "bulk")) {
      throw new ProtocolError(`invalid ${what} length`);
    }
    this.#position = at + 2;
    return negative ? 0 : value;
  }

  #checkRestricted(what: string, value: number, limit: number): void {
    if (value > limit) throw new ProtocolError(`unauthenticated ${what} length`);
  }

  #readInline(): string[] | undefined {
    const end = this.#buffer.subarray(0, this.#end).indexOf(lf, this.#position);
    if (end < 0) {
      if (this.#end - this.#position > lineBytesMax) {
        throw new ProtocolError("too big inline request");
      }
      return undefined;
    }
    const stop = end > this.#position && this.#buffer[end - 1] === cr ? end - 1 : end;
    const args = splitInline(this.#buffer.toString("latin1", this.#position, stop));
    if (args === undefined) throw new ProtocolError("unbalanced quotes in request");
    this.#position = end + 1;
    return args;
  }
}
