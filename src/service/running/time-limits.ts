import type { Clock } from "../clock.ts";

/** Something whose time can be over. */
export interface Limited {
  /** When, on the clock's monotonic time. */
  readonly endsAt: number;
  expire(): void;
}

const byClock = new WeakMap<Clock, Map<number, LimitList>>();

/**
 * Expires `target` when its time has come, unless it is removed from the list that this returns.
 * Calls with one limit end in the order in which they began, so that they share one timer: one of
 * their own would cost more than all the rest of a call.
 */
export function startLimit(clock: Clock, limitMs: number, target: Limited): LimitList {
  let lists = byClock.get(clock);
  if (lists === undefined) byClock.set(clock, lists = new Map());
  let list = lists.get(limitMs);
  if (list === undefined) {
    const own = lists;
    list = new LimitList(clock, () => own.delete(limitMs));
    lists.set(limitMs, list);
  }
  list.add(target);
  return list;
}

/** Everything of one clock that has the same limit. */
export class LimitList {
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  readonly #targets = new Set<Limited>();
  #isWatched = false;

  constructor(clock: Clock, onEnd: () => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  add(target: Limited): void {
    this.#targets.add(target);
    if (this.#isWatched) return;
    this.#isWatched = true;
    void this.#watch();
  }

  /** It ended in time. */
  remove(target: Limited): void {
    this.#targets.delete(target);
  }

  async #watch(): Promise<void> {
    for (const target of this.#targets) {
      const waitMs = target.endsAt - this.#clock.monotonic();
      if (waitMs > 0) await this.#clock.delay(waitMs);
      // While it slept, the target may have ended: the set says what is left.
      if (this.#targets.delete(target)) target.expire();
    }
    this.#isWatched = false;
    this.#onEnd();
  }
}
