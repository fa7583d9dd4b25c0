import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { isPlatformError, PlatformError, reasonOf } from "../../../errors/platform-error.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import { encodeBytes } from "../byte-text.ts";
import type { Engine } from "../engine.ts";
import type { Journal } from "../journal.ts";
import { loadFile } from "./load.ts";
import { renderRequest } from "./request-text.ts";
import { requestsOf } from "./snapshot.ts";

export interface AppendOnlyFileOptions {
  readonly path: string;
  readonly engine: Engine;
  readonly logger: Logger;
  /** A file smaller than this is not rewritten while it is in use. Default 64 MiB. */
  readonly rewriteMinBytes?: number;
}

const snapshotChunkLength = 1024 * 1024;

/**
 * The changes of an engine in a file, in the form in which Redis writes its own. `flush` hands them
 * to the operating system before clients hear of them, so that the death of this process loses
 * nothing; once a second (or, with appendfsync always, each time) they are forced to the disk.
 */
export class AppendOnlyFile implements Journal {
  readonly #path: string;
  readonly #engine: Engine;
  readonly #logger: Logger;
  readonly #rewriteMinBytes: number;
  #file: number;
  #pending = "";
  /** The database that the file's last request is about; -1 when it must be named again. */
  #database = -1;
  #sizeBytes = 0;
  #baseBytes = 0;
  #rewrittenAt = 0;
  #unsynced = false;
  #syncing = false;
  readonly #released: number[] = [];
  #failure: string | undefined;

  /** Loads the file, if there is one, into the engine and rewrites it. Throws KVDB_DATA_*. */
  static open(options: AppendOnlyFileOptions): AppendOnlyFile {
    const { path } = options;
    try {
      return new AppendOnlyFile(options, existsSync(path) ? load(options) : undefined);
    } catch (error) {
      if (isPlatformError(error)) throw error;
      const reason = reasonOf(error);
      throw new PlatformError("KVDB_DATA_UNREADABLE", { file: path, reason }, { cause: error });
    }
  }

  private constructor(
    { path, engine, logger, rewriteMinBytes }: AppendOnlyFileOptions,
    existingBytes: number | undefined,
  ) {
    this.#path = path;
    this.#engine = engine;
    this.#logger = logger;
    this.#rewriteMinBytes = rewriteMinBytes ?? 64 * 1024 * 1024;
    this.#file = this.#openFile(existingBytes);
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get baseBytes(): number {
    return this.#baseBytes;
  }

  get rewrittenAt(): number {
    return this.#rewrittenAt;
  }

  append(database: number, requests: readonly (readonly string[])[]): void {
    if (database !== this.#database) {
      this.#pending += renderRequest(["SELECT", String(database)]);
      this.#database = database;
    }
    for (const request of requests) this.#pending += renderRequest(request);
  }

  /**
   * Writes what was appended. What cannot be written is kept and tried again by `tick`; throws
   * only with appendfsync always, when the promise to have written can no longer be kept.
   */
  flush(): void {
    if (this.#pending === "" || this.#failure !== undefined) return;
    this.#write();
    if (this.#engine.settings.get("appendfsync") !== "always") return;
    if (this.#failure !== undefined) throw new Error(this.#failure);
    fsyncSync(this.#file);
    this.#unsynced = false;
  }

  /** To be called every second: forces to disk, tries again what failed, rewrites when due. */
  tick(): void {
    if (this.#failure !== undefined) this.#write();
    if (this.#failure !== undefined) return;
    if (this.#sizeBytes > Math.max(this.#rewriteMinBytes, this.#baseBytes * 2)) this.rewrite();
    if (this.#unsynced && this.#engine.settings.get("appendfsync") === "everysec") this.#sync();
  }

  rewrite(): void {
    this.flush();
    const previous = this.#file;
    try {
      this.#file = this.#writeSnapshot();
      this.#release(previous);
    } catch (error) {
      // The old file is whole and still open; the next tick tries again.
      this.#logger.error("The KVDB data file could not be rewritten", { error });
    }
  }

  close(): void {
    if (this.#failure !== undefined) this.#write();
    else this.flush();
    fsyncSync(this.#file);
    this.#release(this.#file);
  }

  /** Closes a file, but not while it is being forced to disk: its number could be given away. */
  #release(file: number): void {
    if (this.#syncing) this.#released.push(file);
    else closeSync(file);
  }

  #write(): void {
    const bytes = encodeBytes(this.#pending);
    let written = 0;
    try {
      while (written < bytes.length) {
        const position = this.#sizeBytes + written;
        written += writeSync(this.#file, bytes, written, bytes.length - written, position);
      }
    } catch (error) {
      this.#onWriteFailed(error);
      return;
    }
    if (this.#failure !== undefined) this.#logger.info("The KVDB data file can be written again");
    this.#failure = undefined;
    this.#pending = "";
    this.#sizeBytes += bytes.length;
    this.#unsynced = true;
  }

  #onWriteFailed(error: unknown): void {
    if (this.#failure === undefined) {
      this.#logger.error("The KVDB data file cannot be written; writes are refused", { error });
    }
    this.#failure = describeWriteError(error);
    try {
      // A half-written request would end the file for whoever reads it.
      ftruncateSync(this.#file, this.#sizeBytes);
    } catch (truncateError) {
      this.#logger.error("The KVDB data file could not be cut back", { error: truncateError });
    }
  }

  #sync(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    this.#unsynced = false;
    fsync(this.#file, (error) => {
      this.#syncing = false;
      for (const file of this.#released.splice(0)) closeSync(file);
      if (error === null || error === undefined) return;
      this.#unsynced = true;
      this.#logger.error("The KVDB data file could not be forced to disk", { error });
    });
  }

  /** A file as short as can be; on a disk too full for that, the one that is there. */
  #openFile(existingBytes: number | undefined): number {
    try {
      return this.#writeSnapshot();
    } catch (error) {
      if (existingBytes === undefined) throw error;
      this.#logger.warn("The KVDB data file could not be rewritten and is used as it is", {
        error,
      });
      const file = openSync(this.#path, "r+");
      ftruncateSync(file, existingBytes);
      this.#sizeBytes = existingBytes;
      this.#baseBytes = existingBytes;
      return file;
    }
  }

  /** Writes all data to a new file, puts it in place of the old one and leaves it open. */
  #writeSnapshot(): number {
    const temporary = `${this.#path}.rewrite`;
    const file = openSync(temporary, "w", 0o600);
    try {
      let text = "";
      const write = () => {
        const bytes = encodeBytes(text);
        for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
        text = "";
      };
      for (const database of this.#engine.databases) {
        if (database.size > 0) text += renderRequest(["SELECT", String(database.index)]);
        for (const request of requestsOf(database)) {
          text += renderRequest(request);
          if (text.length > snapshotChunkLength) write();
        }
      }
      write();
      fsyncSync(file);
      renameSync(temporary, this.#path);
      syncDirectory(dirname(this.#path));
    } catch (error) {
      closeSync(file);
      rmSync(temporary, { force: true });
      throw error;
    }
    this.#database = -1;
    this.#sizeBytes = fstatSync(file).size;
    this.#baseBytes = this.#sizeBytes;
    this.#rewrittenAt = Math.floor(Date.now() / 1000);
    this.#unsynced = false;
    return file;
  }
}

/** Loads an existing file; the bytes of it that hold whole changes. */
function load({ path, engine, logger }: AppendOnlyFileOptions): number {
  const { requests, goodBytes, tornBytes } = loadFile(path, engine);
  logger.info("KVDB data loaded", { file: path, requests });
  if (tornBytes > 0) {
    const message = "The end of the KVDB data file was cut off by a crash and is dropped";
    logger.warn(message, { file: path, bytes: tornBytes });
  }
  return goodBytes;
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** The C library's words alone, without the code before or after them. */
function describeWriteError(error: unknown): string {
  const reason = reasonOf(error).replace(/^E[A-Z0-9]+: /, "").replace(
    /(, \w+| \(os error \d+\))$/,
    "",
  );
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}
