/** Something whose time can be over. */
export interface Expirable {
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
 * Time limits of very many requests at the price of one timer. Requests with the same limit end in
 * the order in which they began, so that a list for each limit is sorted by itself, and only the
 * first of each list has to be looked at.
 */
export class Deadlines {
  readonly #lists = new Map<number, DeadlineList>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Expires `target`, at most 20 ms late, when `limitMs` have passed since `startedAt`. */
  start(startedAt: number, limitMs: number, target: Expirable): Deadline {
    let list = this.#lists.get(limitMs);
    if (list === undefined) {
      list = new DeadlineList();
      this.#lists.set(limitMs, list);
    }
    this.#timer ??= setInterval(() => this.#expire(), stepMs);
    return list.append(startedAt + limitMs, target);
  }

  #expire(): void {
    const now = performance.now();
    let waiting = false;
    for (const list of this.#lists.values()) waiting = list.expireUntil(now) || waiting;
    if (waiting) return;
    // Nothing waits: an idle process is not woken, and limits that are gone leave nothing behind.
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#lists.clear();
  }
}

class DeadlineList {
  first: Entry | undefined;
  last: Entry | undefined;

  append(endsAt: number, target: Expirable): Entry {
    const entry = new Entry(this, endsAt, target);
    entry.previous = this.last;
    if (this.last === undefined) this.first = entry;
    else this.last.next = entry;
    this.last = entry;
    return entry;
  }

  /** Expires what is due; true when something is left. */
  expireUntil(now: number): boolean {
    while (this.first !== undefined && this.first.endsAt <= now) {
      const { first } = this;
      const { target } = first;
      first.cancel();
      target?.expire();
    }
    return this.first !== undefined;
  }
}

class Entry implements Deadline {
  readonly endsAt: number;
  target: Expirable | undefined;
  list: DeadlineList | undefined;
  previous: Entry | undefined;
  next: Entry | undefined;

  constructor(list: DeadlineList, endsAt: number, target: Expirable) {
    this.list = list;
    this.endsAt = endsAt;
    this.target = target;
  }

  cancel(): void {
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
    this.target = undefined;
  }
}
