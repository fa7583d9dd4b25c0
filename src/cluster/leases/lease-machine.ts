import type { HeldLease } from "../../odb/lease-types.ts";
import type { LeaseTiming } from "./lease-timing.ts";

/** What a look at the ODB said of one lease. */
export interface SeenLease {
  /** Somebody holds it, and its time is not over. */
  readonly isTaken: boolean;
  /** We hold it, or held it last, in this life of the server. */
  readonly isOurs: boolean;
  readonly epoch: number;
}

/** When a question was sent, and when its answer is looked at. */
export interface AnswerTimes {
  readonly sentAt: number;
  readonly now: number;
}

/** What is to be done about a lease now. */
export type LeaseStep = "acquire" | "release" | undefined;

/**
 * One server's view of one lease: pure, and over a monotonic clock only, whose milliseconds are
 * passed in. It believes to hold the lease from a grant until `ttlMs - marginMs` after the last
 * grant or renewal *was sent*: the database counts `ttlMs` from a moment that is not earlier, so
 * the belief ends before anybody else can be granted the lease, however long the answer took and
 * whatever stopped this process in between. No answer brings back a term that is over; only a new
 * grant begins one.
 */
export class LeaseMachine {
  readonly name: string;
  readonly #timing: LeaseTiming;
  /** Of the term that lasts; 0 when there is none. */
  #epoch = 0;
  #until = -Infinity;
  #renewAt = Infinity;
  #isWanted = true;
  #freeSince = Infinity;
  #acquireAt = Infinity;
  /** Until then, an answer about this lease is waited for. */
  #busyUntil = -Infinity;
  /** The highest epoch that was given up, whether or not the ODB knows. */
  #givenUpEpoch = 0;
  /** An epoch that the ODB says is ours and that we do not want; 0 when there is none. */
  #returnEpoch = 0;

  constructor(name: string, timing: LeaseTiming) {
    this.name = name;
    this.#timing = timing;
  }

  /** Whether the lease is held for certain; what is done with it must ask at each use. */
  isHeldAt(now: number): boolean {
    return this.#epoch !== 0 && now < this.#until;
  }

  /** The term that lasts, or lasted until its end is noted by `expire`. */
  get term(): HeldLease | undefined {
    return this.#epoch === 0 ? undefined : { name: this.name, epoch: this.#epoch };
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Infinity when there is nothing to renew. */
  get renewAt(): number {
    return this.#renewAt;
  }

  /** The epoch that `next` wants released. */
  get returnEpoch(): number {
    return this.#returnEpoch;
  }

  /** Ends a term whose time is over; true when it did. */
  expire(now: number): boolean {
    if (this.#epoch === 0 || now < this.#until) return false;
    this.#endTerm();
    return true;
  }

  /** What a look said; undefined when nobody ever had the lease. */
  see(seen: SeenLease | undefined, { now, isPreferred }: {
    readonly now: number;
    /** Whether a free lease is this server's to take first. */
    readonly isPreferred: boolean;
  }): void {
    if (this.#epoch !== 0) return; // the answers to renewals know better
    if (seen?.isTaken === true) {
      this.#freeSince = Infinity;
      this.#acquireAt = Infinity;
      // A grant, or a release, of which no answer came.
      const isKept = this.#isWanted && seen.epoch > this.#givenUpEpoch;
      if (seen.isOurs && isKept) this.#acquireAt = now;
      this.#returnEpoch = seen.isOurs && !isKept ? seen.epoch : 0;
      return;
    }
    this.#returnEpoch = 0;
    if (!this.#isWanted) return;
    this.#freeSince = Math.min(this.#freeSince, now);
    this.#acquireAt = isPreferred ? now : this.#freeSince + this.#timing.yieldMs;
  }

  /** What to ask the ODB now; it counts as asked. */
  next(now: number): LeaseStep {
    if (now < this.#busyUntil) return undefined;
    if (this.#returnEpoch !== 0) {
      this.#busyUntil = now + this.#timing.patienceMs;
      // The release may be carried out at any later time: this epoch is never ours again.
      this.#givenUpEpoch = Math.max(this.#givenUpEpoch, this.#returnEpoch);
      return "release";
    }
    if (now < this.#acquireAt) return undefined;
    this.#acquireAt = Infinity;
    this.#busyUntil = now + this.#timing.patienceMs;
    return "acquire";
  }

  /** When `next` has something to say, unless an answer comes before. */
  get stepAt(): number {
    const at = this.#returnEpoch !== 0 ? -Infinity : this.#acquireAt;
    return Math.max(at, this.#busyUntil);
  }

  /** When a term ends unless it is renewed; Infinity when there is none. */
  get endAt(): number {
    return this.#epoch === 0 ? Infinity : this.#until;
  }

  /** The answer to "acquire": this server's. True when a term begins. */
  granted(epoch: number, { sentAt, now }: AnswerTimes): boolean {
    this.#busyUntil = -Infinity;
    if (epoch <= this.#givenUpEpoch) return false;
    if (!this.#isWanted) {
      if (this.#epoch === 0) this.#returnEpoch = epoch;
      return false;
    }
    const until = this.#untilOf(sentAt);
    if (now >= until || epoch < this.#epoch) return false;
    const isNew = epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#until = isNew ? until : Math.max(this.#until, until);
    this.#renewAt = sentAt + this.#timing.renewMs;
    this.#freeSince = Infinity;
    this.#acquireAt = Infinity;
    return isNew;
  }

  /** The answer to "acquire": another's. */
  refused(): void {
    this.#busyUntil = -Infinity;
    this.#freeSince = Infinity;
  }

  /** The answer was an error: the next look says more. */
  failed(step: "acquire" | "release"): void {
    this.#busyUntil = -Infinity;
    if (step === "release") this.#returnEpoch = 0;
  }

  /** The answer to "release". */
  released(epoch: number): void {
    this.#busyUntil = -Infinity;
    if (this.#returnEpoch === epoch) this.#returnEpoch = 0;
  }

  /** A renewal was sent: when to send the next, should nothing be heard of it. */
  renewalSent(now: number): void {
    this.#renewAt = now + this.#timing.patienceMs;
  }

  /** A renewal of this epoch was confirmed. */
  renewed(epoch: number, { sentAt, now }: AnswerTimes): void {
    if (epoch !== this.#epoch || now >= this.#until) return;
    this.#until = Math.max(this.#until, this.#untilOf(sentAt));
    this.#renewAt = Math.max(sentAt + this.#timing.renewMs, now);
  }

  /** A renewal of this epoch was denied: it is over. True when that ends the term. */
  denied(epoch: number): boolean {
    if (epoch !== this.#epoch) return false;
    this.#endTerm();
    return true;
  }

  /** A renewal failed: when to try again. */
  renewalFailed(at: number): void {
    if (this.#epoch !== 0) this.#renewAt = Math.min(this.#renewAt, at);
  }

  /** The lease is to be had, if it can be. */
  want(): void {
    this.#isWanted = true;
  }

  /** Ends the term, if one lasts, so that another server can have the lease at once. */
  giveUp(): void {
    if (this.#epoch === 0) return;
    this.#givenUpEpoch = this.#epoch;
    this.#returnEpoch = this.#epoch;
    this.#endTerm();
  }

  /** The same, and the lease is not asked for any more. */
  withdraw(): void {
    this.#isWanted = false;
    this.#acquireAt = Infinity;
    this.giveUp();
  }

  #untilOf(sentAt: number): number {
    return sentAt + this.#timing.ttlMs - this.#timing.marginMs;
  }

  #endTerm(): void {
    this.#epoch = 0;
    this.#until = -Infinity;
    this.#renewAt = Infinity;
  }
}
