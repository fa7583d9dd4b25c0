import type { ServiceMarks } from "../../service/call.ts";

/** Services that can be told apart; more of them share slot 0. */
const slotsMax = 4_096;

/** Places in the shared memory before the counts. */
const place = { beat: 0, lastEntered: 1, counts: 2 } as const;

/**
 * Memory that the main thread writes and the watchdog's thread reads: a counter that rises while
 * the event loop turns, the service entered last, and how often each service is being run.
 * The main thread's stores are plain: a reader that is microseconds behind does no harm.
 */
export class ServiceSlots implements ServiceMarks {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #slots = new Map<string, number>();
  /** Calls that have begun and not ended. */
  running = 0;
  /** Calls that ended without having run, since the process started. */
  droppedTotal = 0;

  constructor(memory = new SharedArrayBuffer((place.counts + slotsMax) * 4)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  /** Names by slot; slot 0 stands for services that have none of their own. */
  get names(): readonly string[] {
    return ["", ...this.#slots.keys()];
  }

  /** The slot of a service, the same for as long as the process lives. */
  slotOf(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = this.#slots.size + 1;
    if (slot >= slotsMax) return 0;
    this.#slots.set(name, slot);
    return slot;
  }

  enter(slot: number): void {
    this.running++;
    this.#cells[place.lastEntered] = slot;
    this.#cells[place.counts + slot]!++;
  }

  leave(slot: number): void {
    this.running--;
    this.#cells[place.counts + slot]!--;
  }

  drop(): void {
    this.droppedTotal++;
  }

  /** The event loop turned. */
  beat(): void {
    Atomics.add(this.#cells, place.beat, 1);
  }

  /** What the watchdog's thread sees. */
  read(): { readonly beat: number; readonly lastEntered: number; readonly running: number[] } {
    const running: number[] = [];
    for (let slot = 0; slot < slotsMax; slot++) {
      if (Atomics.load(this.#cells, place.counts + slot) > 0) running.push(slot);
    }
    const lastEntered = Atomics.load(this.#cells, place.lastEntered);
    return { beat: Atomics.load(this.#cells, place.beat), lastEntered, running };
  }
}
