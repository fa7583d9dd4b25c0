import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reasonOf } from "../errors/platform-error.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { DiskStatus } from "./status.ts";

/** The least that a file system gives to a file with anything in it. */
const blockBytes = 4_096;

export interface OwnDiskOptions {
  /** Where the server keeps things; a small file is tried here at each look. */
  readonly directory: string;
  /** Why lines of the log are being lost; undefined when none are. */
  readonly logFailure: () => string | undefined;
  readonly logger: Logger;
  /** Default 2,000. */
  readonly intervalMs?: number;
}

/**
 * A server's own disk, and the knowledge whether it takes what the server writes. What it does not
 * take is tried again at each look until it does: serving never waits for that.
 */
export class OwnDisk {
  readonly #options: Required<OwnDiskOptions>;
  readonly #unwritten = new Map<string, () => Promise<void>>();
  #turn = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #down: { readonly reason: string } | undefined;
  #since = new Date();

  constructor(options: OwnDiskOptions) {
    this.#options = { intervalMs: 2_000, ...options };
  }

  /** Looks now, and from now on regularly. */
  start(): void {
    void this.#look().then(() => {
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.start(), this.#options.intervalMs);
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  /**
   * Writes something, and never throws: what fails is tried again later, unless something newer of
   * the same name has taken its place. Resolves after the first attempt.
   */
  async keep(name: string, write: () => Promise<void>): Promise<void> {
    this.#unwritten.set(name, write);
    await this.#look();
  }

  status(): DiskStatus {
    return {
      state: this.#down === undefined ? "up" : "down",
      since: this.#since.toISOString(),
      ...this.#down,
    };
  }

  /** One after another: what is older must never be written over what is newer. */
  #look(): Promise<void> {
    return this.#turn = this.#turn.then(() => this.#writeAll());
  }

  async #writeAll(): Promise<void> {
    const failures: string[] = [];
    for (const [name, write] of this.#unwritten) {
      try {
        await write();
        if (this.#unwritten.get(name) === write) this.#unwritten.delete(name);
      } catch (error) {
        failures.push(`${name}: ${reasonOf(error)}`);
      }
    }
    if (failures.length === 0) failures.push(...await this.#probe());
    const log = this.#options.logFailure();
    if (log !== undefined) failures.push(`log: ${log}`);
    this.#note(failures[0]);
  }

  async #probe(): Promise<readonly string[]> {
    const path = join(this.#options.directory, ".writable");
    try {
      await writeFile(path, new Uint8Array(blockBytes));
      return [];
    } catch (error) {
      return [reasonOf(error)];
    } finally {
      // What could not be written may be there all the same, empty.
      await rm(path, { force: true }).catch(() => {});
    }
  }

  #note(reason: string | undefined): void {
    const before = this.#down;
    this.#down = reason === undefined ? undefined : { reason };
    if ((before === undefined) === (reason === undefined)) return;
    const since = this.#since;
    this.#since = new Date();
    const { logger } = this.#options;
    if (before === undefined) {
      logger.error("This server cannot write to its disk; serving goes on", { reason });
    } else {
      // The first line may have been lost with the log: this one says all of it.
      logger.warn("This server could not write to its disk, and can again", { since, ...before });
    }
  }
}
