/**
 * Who has to act: `input` the caller or the configuration is wrong; `state` not now (closed,
 * draining, already running); `peer` the other side or the network, worth a retry; `bug` an
 * invariant of ours broke.
 */
export type ErrorKind = "input" | "state" | "peer" | "bug";

/** One row of the table. Messages: sentence case, no full stop, `{placeholders}` for values. */
export interface ErrorCode {
  readonly kind: ErrorKind;
  /** The HTTP status under which the error leaves an HTTP edge. */
  readonly status: number;
  readonly message: string;
  /** How to fix it, as an imperative sentence. */
  readonly advice?: string;
}
