/** Something whose time can be over. */
export interface Expirable {
  /**
   * How long it may take, in milliseconds. Asked for once, and only when it has not ended by the
   * next look at the clock: finding it out may cost something.
   */
  readonly limitMs: number;
  /** Called once, when the limit has passed. */
  expire(): void;
}

/** A running time limit. */
export interface Deadline {
  /** Ends it unexpired. May be called more than once. */
  cancel(): void;
}

/** How late a deadline may be noticed. */
const stepMs = 20;

/**
 * Time limits of very many requests at the price of one timer. What has just begun waits in one
 * list; what is still there at the timer's next step goes to the list of its limit. Requests with
 * the same limit end in the order in which they began, so that such a list is sorted by itself, and
 * only its first one has to be looked at.
 */
export class Deadlines {
  readonly #begun = new DeadlineList();
  readonly #lists = new Map<number, DeadlineList>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Expires `target`, at most 20 ms late, when its limit has passed since `startedAt`. */
  start(startedAt: number, target: Expirable): Deadline {
    this.#timer ??= setInterval(() => this.#expire(), stepMs);
    const entry = new Entry(startedAt, target);
    this.#begun.append(entry);
    return entry;
  }

  #expire(): void {
    this.#sort();
    const now = performance.now();
    for (const [limitMs, list] of this.#lists) {
      list.expireUntil(now);
      // Callers may name any limit: those that are gone leave nothing behind.
      if (list.first === undefined) this.#lists.delete(limitMs);
    }
    // What is expired may begin something new.
    if (this.#lists.size > 0 || this.#begun.first !== undefined) return;
    // Nothing waits: an idle process is not woken.
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sort(): void {
    for (let entry = this.#begun.first; entry !== undefined; entry = this.#begun.first) {
      entry.leave();
      const limitMs = entry.begin();
      let list = this.#lists.get(limitMs);
      if (list === undefined) this.#lists.set(limitMs, list = new DeadlineList());
      list.append(entry);
    }
  }
}

class DeadlineList {
  first: Entry | undefined;
  last: Entry | undefined;

  append(entry: Entry): void {
    entry.list = this;
    entry.previous = this.last;
    if (this.last === undefined) this.first = entry;
    else this.last.next = entry;
    this.last = entry;
  }

  /** Expires what is due. */
  expireUntil(now: number): void {
    while (this.first !== undefined && this.first.endsAt <= now) {
      const { first } = this;
      const { target } = first;
      first.cancel();
      target?.expire();
    }
  }
}

class Entry implements Deadline {
  readonly startedAt: number;
  endsAt = Infinity;
  target: Expirable | undefined;
  list: DeadlineList | undefined;
  previous: Entry | undefined;
  next: Entry | undefined;

  constructor(startedAt: number, target: Expirable) {
    this.startedAt = startedAt;
    this.target = target;
  }

  /** Finds out when it ends; returns its limit. */
  begin(): number {
    const limitMs = this.target?.limitMs ?? 0;
    this.endsAt = this.startedAt + limitMs;
    return limitMs;
  }

  leave(): void {
    const { list, previous, next } = this;
    if (list === undefined) return;
    if (previous === undefined) list.first = next;
    else previous.next = next;
    if (next === undefined) list.last = previous;
    else next.previous = previous;
    this.list = undefined;
    // A dead entry that the collector has not looked at for a while would keep all later ones, and
    // their requests, alive.
    this.previous = undefined;
    this.next = undefined;
  }

  cancel(): void {
    this.leave();
    this.target = undefined;
  }
}
