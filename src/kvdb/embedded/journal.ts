/** Where changes are written so that they survive; see `persistence/`. */
export interface Journal {
  /** Why nothing can be written at present; writes are refused meanwhile. */
  readonly failure: string | undefined;
  readonly sizeBytes: number;
  /** The size after the last rewrite. */
  readonly baseBytes: number;
  /** Unix time in seconds of the last rewrite. */
  readonly rewrittenAt: number;
  /** Requests that repeat a change in the database of that number. */
  append(database: number, requests: readonly (readonly string[])[]): void;
  /** Replaces the file by the shortest one that makes the same data. */
  rewrite(): void;
}
