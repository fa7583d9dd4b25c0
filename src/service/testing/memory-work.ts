import { PlatformError } from "../../errors/platform-error.ts";
import type { Clock } from "../clock.ts";
import type { DurableWork, HeldLock, LockOptions, NewInvocation } from "../durable-work.ts";
import { KeptLock } from "../facilities/kept-lock.ts";

/** An invocation that a service asked for with `invokeAsync` or `schedule`. */
export interface TestInvocation extends NewInvocation {
  readonly id: string;
  readonly state: "pending" | "done" | "failed" | "cancelled";
  readonly attempts: number;
  /** When the next attempt is due, in milliseconds since 1970. */
  readonly dueAtMs: number;
  /** What the service returned. */
  readonly output?: unknown;
  /** What the last attempt threw. */
  readonly error?: unknown;
}

type Writable<T> = { -readonly [key in keyof T]: T[key] };

/** Runs the service of an invocation; rejects with what it throws. */
export type RunInvocation = (invocation: TestInvocation) => Promise<unknown>;

const retryMaxMs = 3_600_000;

/** Invocations and locks, in memory and by the test's clock. */
export class MemoryWork implements DurableWork {
  readonly invocations: Writable<TestInvocation>[] = [];
  readonly #clock: Clock;
  readonly #isReachable: () => boolean;
  readonly #owners = new Map<string, object>();
  readonly #waiters = new Set<() => void>();
  #tokens = 0;

  constructor(clock: Clock, isReachable: () => boolean) {
    this.#clock = clock;
    this.#isReachable = isReachable;
  }

  // Async, as are those below, so that an outage rejects.
  async enqueue(invocation: NewInvocation): Promise<string> {
    this.#reach();
    const id = `invocation-${this.invocations.length + 1}`;
    const dueAtMs = this.#clock.now() + invocation.delayMs;
    this.invocations.push({ ...invocation, id, state: "pending", attempts: 0, dueAtMs });
    return id;
  }

  async cancel(id: string): Promise<boolean> {
    this.#reach();
    const found = this.invocations.find((one) => one.id === id);
    if (found?.state !== "pending" || found.attempts > 0) return false;
    found.state = "cancelled";
    return true;
  }

  /** Runs what is due, and what becomes due by that, in the order of its time. */
  async runDue(run: RunInvocation): Promise<readonly TestInvocation[]> {
    const ran: TestInvocation[] = [];
    for (let next = this.#due(); next !== undefined; next = this.#due()) {
      await this.#attempt(next, run);
      if (!ran.includes(next)) ran.push(next);
    }
    return ran;
  }

  async acquireLock(name: string, options: LockOptions): Promise<HeldLock | undefined> {
    const { ttlMs, waitMs, signal } = options;
    this.#reach();
    signal.throwIfAborted();
    const untilMs = this.#clock.monotonic() + waitMs;
    while (this.#owners.has(name)) {
      const leftMs = untilMs - this.#clock.monotonic();
      if (leftMs <= 0) return undefined;
      await this.#freed(leftMs, signal);
    }
    const owner = {};
    this.#owners.set(name, owner);
    return new KeptLock({
      name,
      token: ++this.#tokens,
      ttlMs,
      grantedAtMs: this.#clock.monotonic(),
      clock: this.#clock,
      renew: async () => {
        this.#reach();
        return this.#owners.get(name) === owner;
      },
      release: async () => {
        if (this.#owners.get(name) === owner) this.free(name);
      },
    });
  }

  /** Somebody else holds the lock from now on, also when it was held: its holder loses it. */
  hold(name: string): void {
    this.#tokens++;
    this.#owners.set(name, {});
  }

  /** Nobody holds the lock any more. */
  free(name: string): void {
    this.#owners.delete(name);
    for (const wake of this.#waiters) wake();
  }

  #reach(): void {
    if (this.#isReachable()) return;
    throw new PlatformError("ODB_UNREACHABLE", { reason: "The test says so" });
  }

  #due(): Writable<TestInvocation> | undefined {
    const now = this.#clock.now();
    return this.invocations.filter(({ state, dueAtMs }) => state === "pending" && dueAtMs <= now)
      .sort((a, b) => a.dueAtMs - b.dueAtMs)[0];
  }

  async #attempt(invocation: Writable<TestInvocation>, run: RunInvocation): Promise<void> {
    invocation.attempts++;
    try {
      invocation.output = await run(invocation);
      invocation.state = "done";
      delete invocation.error;
    } catch (error) {
      invocation.error = error;
      if (invocation.attempts >= invocation.attemptsMax) invocation.state = "failed";
      else invocation.dueAtMs = this.#clock.now() + this.#backOffMs(invocation);
    }
    if (invocation.state !== "pending") await this.#tell(invocation);
  }

  #backOffMs({ retryMs, attempts }: TestInvocation): number {
    return Math.min(retryMaxMs, retryMs * 2 ** (attempts - 1));
  }

  async #tell(invocation: TestInvocation): Promise<void> {
    const { id, service, callback, state, output, error, attempts, cid } = invocation;
    if (callback === undefined) return;
    const outcome = state === "done" ? { output } : { error: String(error) };
    await this.enqueue({
      service: callback,
      input: { id, service, ok: state === "done", ...outcome, attempts, cid },
      cid,
      delayMs: 0,
      attemptsMax: invocation.attemptsMax,
      retryMs: invocation.retryMs,
      callback: undefined,
    });
  }

  async #freed(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    let wake = () => {};
    const freed = new Promise<void>((resolve) => wake = resolve);
    this.#waiters.add(wake);
    try {
      const waited = this.#clock.delay(ms, AbortSignal.any([over.signal, signal]));
      await Promise.race([freed, waited]);
    } finally {
      over.abort();
      this.#waiters.delete(wake);
    }
  }
}
