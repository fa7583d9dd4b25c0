/**
 * Work that outlives the process: handed to the supervisor, acknowledged when the ODB has it on
 * disk. Rejects with ODB_UNREACHABLE (kind `peer`) when it cannot be kept; then nothing happened.
 */
export interface DurableWork {
  /** Keeps an invocation; resolves to its id when it is on disk. It runs at least once. */
  enqueue(invocation: NewInvocation): Promise<string>;
  /** Takes back an invocation that has not begun; false when there is none such. */
  cancel(id: string): Promise<boolean>;
  /**
   * Takes a lock of the whole cluster; undefined when somebody else held it for all of `waitMs`.
   * The token only ever rises, so that what the lock protects can refuse a holder that slept.
   */
  acquireLock(name: string, options: LockOptions): Promise<HeldLock | undefined>;
}

export interface NewInvocation {
  readonly service: string;
  /** Plain JSON. */
  readonly input: unknown;
  /** Of the call that asked for it. */
  readonly cid: string;
  readonly delayMs: number;
  readonly attemptsMax: number;
  /** Wait before the second attempt; doubled for each further one, up to an hour. */
  readonly retryMs: number;
  /** A service told how it ended: `{ id, service, ok, output?, error?, attempts, cid }`. */
  readonly callback: string | undefined;
}

export interface LockOptions {
  /** The lock is given up when its holder has not renewed it for this long. */
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

export interface HeldLock {
  readonly token: number;
  /** Aborted when the lock was lost before it was released. */
  readonly signal: AbortSignal;
  /** Idempotent. */
  release(): Promise<void>;
}
