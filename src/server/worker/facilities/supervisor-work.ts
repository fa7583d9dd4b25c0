import { randomUUID } from "node:crypto";
import type { Clock } from "../../../service/clock.ts";
import type {
  DurableWork,
  HeldLock,
  LockOptions,
  NewInvocation,
} from "../../../service/durable-work.ts";
import { toJsonText } from "../../../service/facilities/json-text.ts";
import { KeptLock } from "../../../service/facilities/kept-lock.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import type { SupervisorLink } from "../supervisor-link.ts";

export interface SupervisorWorkOptions {
  readonly link: Pick<SupervisorLink, "request">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Durable work, all of it asked of the supervisor. */
export class SupervisorWork implements DurableWork {
  readonly #link: Pick<SupervisorLink, "request">;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor({ link, clock, logger }: SupervisorWorkOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#logger = logger;
  }

  async enqueue(invocation: NewInvocation): Promise<string> {
    const { service, input } = invocation;
    // What JSON cannot carry is found out here, with a name, and not by the message channel.
    if (input !== undefined) toJsonText(input, `The input for the service "${service}"`);
    return await this.#link.request("enqueue", invocation);
  }

  async cancel(id: string): Promise<boolean> {
    return await this.#link.request("cancel", { id });
  }

  async acquireLock(name: string, options: LockOptions): Promise<HeldLock | undefined> {
    const { ttlMs, waitMs, signal } = options;
    signal.throwIfAborted();
    const owner = randomUUID();
    let grantedAtMs = this.#clock.monotonic();
    const asking = this.#link.request("lock", { name, owner, ttlMs, waitMs });
    const token = await this.#unlessAborted(asking, signal, () => this.#unlock(name, owner));
    if (token === null) return undefined;
    // It was given at some moment of the wait: after a long one, only a renewal tells its time.
    if (this.#clock.monotonic() - grantedAtMs > ttlMs / 10) {
      grantedAtMs = this.#clock.monotonic();
      if (!await this.#link.request("renewLock", { name, owner, ttlMs })) return undefined;
    }
    return new KeptLock({
      name,
      token,
      ttlMs,
      grantedAtMs,
      clock: this.#clock,
      renew: () => this.#link.request("renewLock", { name, owner, ttlMs }),
      release: () => this.#unlock(name, owner),
    });
  }

  /** A lock that comes when nobody wants it any more is given back. */
  async #unlessAborted(
    asking: Promise<number | null>,
    signal: AbortSignal,
    giveBack: () => Promise<void>,
  ): Promise<number | null> {
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([asking, aborted.promise]);
    } catch (error) {
      if (signal.aborted) {
        void asking.then((token) => token === null ? undefined : giveBack(), () => {});
      }
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #unlock(name: string, owner: string): Promise<void> {
    try {
      await this.#link.request("unlock", { name, owner });
    } catch (error) {
      // What the lock protected is done; others only have to wait for the end of its time.
      this.#logger.warn("A lock could not be released and runs out by itself", { name, error });
    }
  }
}
