import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** What can be wrong with one server's way to the ODB. */
export type LinkFault = "none" | "loses requests" | "loses answers" | "slow";

/** The side of a server that messages need. */
export interface Endpoint {
  link: LinkFault;
  /** Hands something over when the process runs; never when its life is over. */
  deliver(what: () => void): void;
}

/** Asks whose answer is no longer waited for by the driver. */
const driverLimitMs = 4_000;

/** The way from servers to the ODB: requests and answers that are late, lost, or both. */
export class Network {
  readonly #timeline: Timeline;
  readonly #random: Random;
  /** What waits for the ODB to thaw; undefined when it is not frozen. */
  #frozen: (() => void)[] | undefined;
  readonly #calmAt: number;

  /** From `calmAt` on, nothing that was sent is still on its way to the ODB. */
  constructor({ timeline, random, calmAt }: {
    readonly timeline: Timeline;
    readonly random: Random;
    readonly calmAt: number;
  }) {
    this.#timeline = timeline;
    this.#random = random;
    this.#calmAt = calmAt;
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  freeze(): void {
    this.#frozen ??= [];
  }

  /** Everything that waited is carried out, in any order. */
  thaw(): void {
    const waiting = this.#frozen ?? [];
    this.#frozen = undefined;
    this.#random.shuffle(waiting);
    for (const carryOut of waiting) this.#timeline.after(this.#random.next() * 20, carryOut);
  }

  /**
   * One transaction: `execute` happens at the ODB at most once, and then either `answer` or `fail`
   * at the server, each with a mind of its own about when. A request that failed may be carried
   * out all the same, later.
   */
  call<T>(from: Endpoint, execute: () => T, { answer, fail }: {
    readonly answer: (value: T) => void;
    readonly fail: () => void;
  }): void {
    const random = this.#random;
    const timeline = this.#timeline;
    let isOpen = true;
    const giveUp = () => {
      if (!isOpen) return;
      isOpen = false;
      from.deliver(fail);
    };
    if (from.link === "loses requests") {
      // Refused at once, or swallowed.
      return timeline.after(random.chance(0.3) ? 1 : driverLimitMs, giveUp);
    }
    const isSlow = from.link === "slow";
    const reply = (value: T) => {
      if (from.link === "loses answers" || from.link === "loses requests") {
        return timeline.after(random.chance(0.3) ? 1 : driverLimitMs, giveUp);
      }
      timeline.after(isSlow ? random.next() * 3_000 : 1 + random.next() * 9, () => {
        if (!isOpen) return;
        isOpen = false;
        from.deliver(() => answer(value));
      });
    };
    const carryOut = () => {
      if (this.#frozen !== undefined) {
        if (isOpen) timeline.after(driverLimitMs, giveUp);
        this.#frozen.push(carryOut);
        return;
      }
      reply(execute());
    };
    if (!isSlow) return timeline.after(1 + random.next() * 9, carryOut);
    timeline.at(Math.min(timeline.now + random.next() * 8_000, this.#calmAt), carryOut);
    timeline.after(driverLimitMs, giveUp);
  }
}
