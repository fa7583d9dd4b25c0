import { Buffer } from "node:buffer";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { PlatformError } from "../../../errors/platform-error.ts";
import type { Engine } from "../engine.ts";
import { ProtocolError } from "../protocol-error.ts";
import { RequestParser } from "../request-parser.ts";
import type { Session, SessionPeer } from "../session.ts";

const chunkBytes = 1024 * 1024;
/** What was once accepted must be readable, whatever the limits are now. */
const limits = { bulkBytes: 512 * 1024 * 1024, arguments: 1024 * 1024 };

export interface LoadOutcome {
  readonly requests: number;
  /** Where the last whole change ends. */
  readonly goodBytes: number;
  /** Bytes at the end that were not a whole change: the trace of a crash. They are not applied. */
  readonly tornBytes: number;
}

/**
 * Repeats the requests of a file on an empty engine. A change that a crash cut off at the end is
 * left out; throws KVDB_DATA_CORRUPT, with the place, for everything else that is not as written.
 */
export function loadFile(path: string, engine: Engine): LoadOutcome {
  const file = openSync(path, "r");
  const session = engine.openSession(silentPeer);
  session.authenticated = true;
  for (const database of engine.databases) database.expiryPaused = true;
  try {
    return new FileLoader(path, file, { engine, session }).load();
  } finally {
    for (const database of engine.databases) database.expiryPaused = false;
    engine.closeSession(session);
    closeSync(file);
  }
}

class FileLoader {
  readonly #path: string;
  readonly #file: number;
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #parser = new RequestParser(limits, { strict: true });
  #requests = 0;
  /** End of the last whole change. */
  #goodBytes = 0;
  /** Requests since MULTI, with where they began; a transaction is applied whole or not at all. */
  #transaction: { readonly args: readonly string[]; readonly offset: number }[] | undefined;

  constructor(
    path: string,
    file: number,
    { engine, session }: { readonly engine: Engine; readonly session: Session },
  ) {
    this.#path = path;
    this.#file = file;
    this.#engine = engine;
    this.#session = session;
  }

  load(): LoadOutcome {
    const size = fstatSync(this.#file).size;
    for (let offset = 0; offset < size;) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, size - offset));
      const read = readSync(this.#file, chunk, 0, chunk.length, offset);
      if (read === 0) break;
      offset += read;
      this.#parser.push(chunk.subarray(0, read));
      if (!this.#applyAll(size)) break;
    }
    const tornBytes = size - this.#goodBytes;
    if (tornBytes > 0) this.#checkTail(size);
    return { requests: this.#requests, goodBytes: this.#goodBytes, tornBytes };
  }

  /** False when nothing but zeros follows: space that a crash left unwritten. */
  #applyAll(size: number): boolean {
    for (;;) {
      const offset = this.#parser.consumedBytes;
      let args: string[] | undefined;
      try {
        args = this.#parser.next();
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        if (this.#isZeroFrom(offset, size)) return false;
        throw this.#corrupt(offset, error.message);
      }
      if (args === undefined) return true;
      this.#apply(args, offset);
    }
  }

  #apply(args: readonly string[], offset: number): void {
    const name = args[0]!.toUpperCase();
    if (name === "MULTI") {
      this.#transaction = [];
      return;
    }
    if (name === "EXEC") {
      for (const one of this.#transaction ?? []) this.#run(one.args, one.offset);
      this.#transaction = undefined;
    } else if (this.#transaction !== undefined) {
      this.#transaction.push({ args, offset });
      return;
    } else {
      this.#run(args, offset);
    }
    this.#goodBytes = this.#parser.consumedBytes;
  }

  #run(args: readonly string[], offset: number): void {
    const reply = this.#engine.run(this.#session, args);
    // Only what succeeded was ever written.
    if (reply?.startsWith("-")) throw this.#corrupt(offset, reply.slice(1).trimEnd());
    this.#requests++;
  }

  /** A tail that was cut off holds one unfinished change; more than that is damage before it. */
  #checkTail(size: number): void {
    const tail = Buffer.alloc(Math.min(size - this.#goodBytes, limits.bulkBytes));
    readSync(this.#file, tail, 0, tail.length, this.#goodBytes);
    if (this.#transaction !== undefined) return;
    const next = /\r\n\*\d+\r\n\$\d+\r\n/.exec(tail.toString("latin1"));
    if (next !== null) {
      throw this.#corrupt(this.#goodBytes, "a length does not fit what follows");
    }
  }

  #isZeroFrom(offset: number, size: number): boolean {
    const rest = Buffer.alloc(Math.min(size - offset, limits.bulkBytes));
    readSync(this.#file, rest, 0, rest.length, offset);
    return rest.every((byte) => byte === 0);
  }

  #corrupt(offset: number, reason: string): PlatformError {
    return new PlatformError("KVDB_DATA_CORRUPT", { file: this.#path, offset, reason });
  }
}

const silentPeer: SessionPeer = {
  address: "",
  localAddress: "",
  send: () => {},
  resume: () => {},
  close: () => {},
};
