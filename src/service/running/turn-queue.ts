import { setImmediate } from "node:timers";
import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import type { Call } from "../call.ts";
import { OwnTime, type Usage } from "./own-time.ts";

/** A turn of the event loop may take so long before calls have to wait for the next one. */
const turnMs = 5;
/**
 * After a long turn, as many short ones. The runtime asks the system what came over the network only
 * once in 61 turns of a loop that is never idle (`event_interval` of tokio's runtime builder): in
 * twice as many a new connection is taken, its request read, and refused. They cost about 1 ms.
 */
const breathsMax = 130;
/** When nothing that waits has begun for so long, one does, whatever else the loop is busy with. */
const patienceMs = 50;
/** Calls that may begin in one turn after others had to wait, at most. */
const batchMax = 256;
/** How often it is looked at how late the loop is, while calls come. */
const watchMs = 50;
/** The loop may make itself late by this before calls take turns at all. */
const strainMs = 20;
/** The loop may make itself late by this before fewer calls are let run beside one another. */
const lateMaxMs = 50;
/** After as many looks without strain, calls begin at once again. */
const calmLooks = 20;

/** How much one turn counts in the pace, and how many times slower than before it may count. */
const paceShare = 0.1;
const paceRise = 4;
const paceMinMs = 1;

/** What there is to know of a call while it waits. */
type Pending = Pick<Call, "signal" | "remaining">;

interface Waiting {
  readonly call: Pending;
  readonly begin: () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Lets calls begin at once as long as the event loop is in time: then a call costs no more than a
 * look at a field. Once the loop is late, calls wait in the order in which they came while a turn
 * takes long, and each turn begins as many as it can bear: so that the process goes on reading
 * requests, and can refuse some, however long services compute. What services
 * compute after they have waited for something happens in no turn of ours: when that makes the loop
 * late, fewer calls run beside one another for a while. Where something else takes turn after turn,
 * a call begins from time to time all the same. What others on the machine take from the process
 * counts neither as a long turn nor as being late. A call that nobody waits for any more leaves the
 * queue without having run.
 */
export class TurnQueue {
  readonly #marks: { readonly running: number };
  readonly #queue = new Set<Waiting>();
  #isTurning = false;
  #isLate = false;
  #breaths = 0;
  /** When the present turn began. */
  #turnAt = 0;
  readonly #turnTime: OwnTime;
  /** When the first call had to wait; 0 once the loop has caught up. */
  #behindSince = 0;
  #batch = 1;
  /** From one call that begins to the next, while others wait. */
  #paceMs = 0;
  #admittedAt = 0;
  #admitted = 0;
  /** Since when calls have waited without that one of them began, or was still in its first turn. */
  #heldSince = 0;
  /** How many calls may run beside one another. */
  #window = Infinity;
  #watch: ReturnType<typeof setInterval> | undefined;
  #watchedAt = 0;
  readonly #watchTime: OwnTime;
  /** Looks until calls begin at once again; 0: they do. */
  #strain = 0;
  #hasEntered = false;

  /** `marks` say how many calls have begun and not ended, `usage` what the process has used. */
  constructor(
    marks: { readonly running: number },
    usage: () => Usage = () => process.resourceUsage(),
  ) {
    this.#marks = marks;
    this.#turnTime = new OwnTime(usage);
    this.#watchTime = new OwnTime(usage);
  }

  /** Whether the loop was late of late, so that calls take turns. */
  get isStrained(): boolean {
    return this.#strain > 0;
  }

  /** Calls that have not begun. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** How long a call that came now would wait, in milliseconds. */
  get waitMs(): number {
    return this.#queue.size * Math.max(this.#paceMs, Math.min(this.#heldMs, this.#paceMaxMs));
  }

  /** Since calls have had to wait, without the loop having caught up, in milliseconds. */
  get behindMs(): number {
    return this.#behindSince === 0 ? 0 : performance.now() - this.#behindSince;
  }

  /**
   * Returns nothing where the call may begin at once, else a promise of that. It rejects with the
   * call's reason when the call was over before it could begin.
   */
  enter(call: Pending): void | Promise<void> {
    this.#hasEntered = true;
    if (this.#watch === undefined) this.#startWatch();
    if (this.#strain === 0) return;
    const now = performance.now();
    if (!this.#isTurning) this.#startTurning(now);
    const isFree = this.#queue.size === 0 && !this.#isLate && now - this.#turnAt < turnMs &&
      this.#marks.running < this.#window;
    if (!isFree) return this.#wait(call, now);
  }

  #wait(call: Pending, now: number): Promise<void> {
    if (this.#behindSince === 0) this.#behindSince = now;
    if (this.#queue.size === 0) this.#heldSince = now;
    return new Promise((begin, refuse) => {
      this.#queue.add({ call, begin, refuse });
    });
  }

  #startTurning(now: number): void {
    this.#isTurning = true;
    this.#turnAt = now;
    this.#turnTime.lap(now);
    this.#batch = 1;
    this.#admitted = 0;
    setImmediate(this.#turn);
  }

  /** What began in the last turn has run as far as it could: how long it took says how many are next. */
  readonly #turn = (): void => {
    const now = performance.now();
    this.#isLate = this.#turnTime.lap(now) >= turnMs;
    if (this.#hasAdmitted) this.#heldSince = now;
    this.#turnAt = now;
    if (this.#isLate) {
      this.#batch = Math.max(1, this.#batch >> 1);
      this.#breaths = breathsMax;
    } else if (this.#queue.size === 0) {
      this.#isTurning = false;
      this.#behindSince = 0;
      return;
    } else if (this.#breaths > 0) this.#breaths--;
    else this.#batch = Math.min(batchMax, this.#batch * 2);
    const room = this.#room(now);
    if (room > 0) this.#admit(room, now);
    if (room > 0 || this.#breaths > 0) setImmediate(this.#turn);
    // Until others have ended, it is no use to turn again and again.
    else setTimeout(this.#turn, 1);
  };

  /** How many may begin now. */
  #room(now: number): number {
    if (this.#queue.size === 0) return 0;
    const free = Math.min(this.#batch, this.#window - this.#marks.running);
    const room = this.#breaths > 0 ? 0 : free;
    return now - this.#heldSince < patienceMs ? room : Math.max(1, room);
  }

  #admit(room: number, now: number): void {
    this.#measurePace(now);
    for (const entry of this.#queue) {
      if (this.#admitted >= room) break;
      this.#queue.delete(entry);
      const { signal } = entry.call;
      if (signal.aborted || entry.call.remaining() <= 0) entry.refuse(reasonOfEnd(signal));
      else {
        this.#admitted++;
        entry.begin();
      }
    }
  }

  /** Whether calls that had waited began in the present turn. */
  get #hasAdmitted(): boolean {
    return this.#admittedAt === this.#turnAt;
  }

  get #heldMs(): number {
    return this.#hasAdmitted ? 0 : performance.now() - this.#heldSince;
  }

  /** A single pause says nothing of the next call: it counts as this much at most. */
  get #paceMaxMs(): number {
    return Math.max(paceMinMs, this.#paceMs * paceRise);
  }

  #measurePace(now: number): void {
    if (this.#admitted > 0) {
      const paceMs = (now - this.#admittedAt) / this.#admitted;
      this.#paceMs += (Math.min(paceMs, this.#paceMaxMs) - this.#paceMs) * paceShare;
    }
    this.#admittedAt = now;
    this.#admitted = 0;
  }

  #startWatch(): void {
    this.#watchedAt = performance.now();
    this.#watchTime.lap(this.#watchedAt);
    this.#watch = setInterval(this.#look, watchMs);
    this.#watch.unref();
  }

  readonly #look = (): void => {
    const now = performance.now();
    const lateMs = Math.min(now - this.#watchedAt - watchMs, this.#watchTime.lap(now));
    this.#watchedAt = now;
    if (lateMs > strainMs) this.#strain = calmLooks;
    else if (!this.#isTurning) this.#strain = Math.max(0, this.#strain - 1);
    if (lateMs > lateMaxMs) this.#narrow(now, lateMaxMs / lateMs);
    else if (this.#queue.size === 0) this.#window = Infinity;
    else this.#window = this.#window * 1.1 + 1;
    if (!this.#hasEntered && this.#strain === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    }
    this.#hasEntered = false;
  };

  #narrow(now: number, share: number): void {
    const running = Math.min(this.#window, this.#marks.running);
    this.#window = Math.max(1, running * Math.min(0.7, Math.max(0.1, share)));
    if (!this.#isTurning) this.#startTurning(now);
    this.#isLate = true;
  }
}

function reasonOfEnd({ aborted, reason }: AbortSignal): unknown {
  if (aborted && isPlatformError(reason)) return reason;
  return new PlatformError("REQUEST_ABANDONED", {}, { cause: reason });
}
