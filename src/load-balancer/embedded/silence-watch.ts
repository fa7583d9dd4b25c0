/** Who is to move next: the client sends or reads, the server reads or answers. */
export type Side = "client" | "server";

/**
 * One timer for an exchange in which now the client and now the server has to move. Each sign of
 * life says who is awaited next; a side that keeps silent for its limit is reported, once.
 */
export class SilenceWatch {
  readonly #limitMs: Readonly<Record<Side, number>>;
  readonly #handlers: Partial<Record<Side, () => void>> = {};
  #awaited: Side | undefined;
  #deadline = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerDue = 0;

  constructor(limitMs: Readonly<Record<Side, number>>) {
    this.#limitMs = limitMs;
  }

  /** Sets what happens when `side` is silent for too long, in place of what was set before. */
  onSilence(side: Side, handler: () => void): void {
    this.#handlers[side] = handler;
  }

  /** From now on `side` has to move. */
  awaiting(side: Side): void {
    this.#awaited = side;
    this.#deadline = performance.now() + this.#limitMs[side];
    // A timer that is due earlier stays and looks again then: no new timer for every chunk.
    if (this.#timer === undefined || this.#timerDue > this.#deadline) this.#arm();
  }

  /** Ends the watch until the next `awaiting`. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#awaited = undefined;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timerDue = this.#deadline;
    this.#timer = setTimeout(() => this.#due(), Math.max(1, this.#deadline - performance.now()));
  }

  #due(): void {
    this.#timer = undefined;
    const side = this.#awaited;
    if (side === undefined) return;
    if (performance.now() < this.#deadline) return this.#arm();
    this.#awaited = undefined;
    this.#handlers[side]?.();
  }
}
