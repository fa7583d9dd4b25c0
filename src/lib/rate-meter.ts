/** Counts events and says how many there were in the last whole second. */
export class RateMeter {
  #second = 0;
  #count = 0;
  #before = 0;

  count(): void {
    this.#turn();
    this.#count++;
  }

  perSecond(): number {
    this.#turn();
    return this.#before;
  }

  #turn(): void {
    const now = Math.floor(performance.now() / 1_000);
    if (now === this.#second) return;
    this.#before = now === this.#second + 1 ? this.#count : 0;
    this.#count = 0;
    this.#second = now;
  }
}
