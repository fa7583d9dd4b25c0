/** `pending`: waits for its time; `failed`: no attempts are left, and it is kept for people. */
export const invocationStates = ["pending", "running", "done", "failed", "cancelled"] as const;
export type InvocationState = (typeof invocationStates)[number];

/** A service to be invoked later, at least once. */
export interface InvocationRequest {
  readonly service: string;
  /** Plain JSON of at most a million characters. */
  readonly input: unknown;
  readonly cid: string;
  readonly delayMs: number;
  readonly attemptsMax: number;
  /** Wait before the second attempt; doubled for each further one, up to an hour. */
  readonly retryMs: number;
  /** A service told how it ended. */
  readonly callback: string | undefined;
}

export interface InvocationRow {
  readonly id: string;
  readonly service: string;
  readonly state: InvocationState;
  readonly cid: string;
  /** Attempts that have begun; one that was lost with its server is not counted. */
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly retryMs: number;
  /** How often the server or worker that ran it went away in the middle. */
  readonly losses: number;
  /** Pending: when it is to run. Running: when others may take it over, unless it is renewed. */
  readonly dueAt: string | null;
  /** The server that runs it, or ran it last. */
  readonly claimedBy: string | null;
  readonly callback: string | null;
  readonly lastError: string | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

export interface InvocationDetail extends InvocationRow {
  readonly input: unknown;
  /** Absent before the end, and when it was too long to be kept. */
  readonly output?: unknown;
  /** Characters of the output's JSON. */
  readonly outputLength: number | null;
}

export interface InvocationQuery {
  readonly state?: InvocationState | undefined;
  readonly service?: string | undefined;
  /** Default 100, at most 1,000. */
  readonly limit?: number | undefined;
}

/** The right to run an invocation and to say how it ended, until the claim runs out. */
export interface InvocationClaim {
  readonly id: string;
  readonly epoch: number;
}

export interface ClaimedInvocation extends InvocationClaim {
  readonly service: string;
  readonly input: unknown;
  readonly cid: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly attemptsMax: number;
  readonly losses: number;
}

export interface ClaimOptions {
  readonly by: string;
  readonly countMax: number;
  readonly claimMs: number;
}

export type InvocationOutcome =
  | { readonly ok: true; readonly output: unknown }
  /** `final`: another attempt would end alike. */
  | { readonly ok: false; readonly error: string; readonly final: boolean };

/** What became of it: `retried` waits for its next attempt; `taken`: others have it by now. */
export interface Settlement {
  readonly state: "done" | "failed" | "retried" | "taken";
  /** For `retried`. */
  readonly inMs?: number;
}

/** Invocations that outlive the processes that ask for them and run them; all by database time. */
export interface InvocationStore {
  /** Resolves to the id when it is on disk. Throws INVOCATION_INVALID. */
  enqueueInvocation(request: InvocationRequest): Promise<string>;
  /** How long until the first one may be taken, 0 when one may now; undefined when none waits. */
  invocationDueInMs(): Promise<number | undefined>;
  /**
   * Takes invocations whose time has come, the longest waiting first; those that were lost too
   * often fail instead and are returned apart.
   */
  claimInvocations(options: ClaimOptions): Promise<{
    readonly claimed: readonly ClaimedInvocation[];
    readonly failed: readonly InvocationRow[];
  }>;
  /** Prolongs claims that are still held. */
  renewInvocations(claims: readonly InvocationClaim[], claimMs: number): Promise<void>;
  /** Writes an outcome down, unless another server has taken over; enqueues the callback with it. */
  settleInvocation(claim: InvocationClaim, outcome: InvocationOutcome): Promise<Settlement>;
  /** Gives up a claim without an outcome: after `inMs` others may take it. Counts as a loss. */
  releaseInvocation(claim: InvocationClaim, inMs: number): Promise<void>;
  /** Newest first. */
  listInvocations(query: InvocationQuery): Promise<readonly InvocationRow[]>;
  /** Throws INVOCATION_UNKNOWN. */
  getInvocation(id: string): Promise<InvocationDetail>;
  /** Lets it run now with all its attempts. Throws INVOCATION_UNKNOWN, INVOCATION_STATE. */
  retryInvocation(id: string): Promise<void>;
  /** False unless it waits; with `unbegun`, also when it was attempted already. */
  cancelInvocation(id: string, options?: { readonly unbegun?: boolean }): Promise<boolean>;
  /** Throws INVOCATION_UNKNOWN, and INVOCATION_STATE while it runs. */
  deleteInvocation(id: string): Promise<void>;
  /** Deletes what ended longer ago than this; returns how many rows. At most 1,000 a call. */
  pruneInvocations(keep: { readonly doneMs: number; readonly failedMs: number }): Promise<number>;
}

export interface LockRequest {
  readonly name: string;
  /** Unique for each holder and each time it holds. */
  readonly owner: string;
  readonly ttlMs: number;
}

/** Locks of the whole cluster; what happened on which clock but the database's does not matter. */
export interface LockStore {
  /**
   * The lock's token, or undefined while somebody else holds it. Tokens of a lock only rise. An
   * owner that holds it already gets the same token again.
   */
  acquireLock(request: LockRequest): Promise<number | undefined>;
  /** False when it was lost: its time was over, even if nobody has taken it since. */
  renewLock(request: LockRequest): Promise<boolean>;
  /** False when it was lost. */
  releaseLock(request: Pick<LockRequest, "name" | "owner">): Promise<boolean>;
}
