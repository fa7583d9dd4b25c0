/** A promise that was broken; ends the schedule. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/**
 * What must always hold, told from outside of what is checked: it keeps its own books and believes
 * neither servers nor ODB.
 */
export class Checker {
  readonly #epochs = new Map<string, { readonly epoch: number; readonly holder: string }>();
  readonly #begun = new Set<string>();
  /** How often a lease began anew. */
  terms = 0;

  /** The ODB granted a lease: epochs only rise, and one epoch is one holder's. */
  granted(name: string, epoch: number, holder: string): void {
    const last = this.#epochs.get(name);
    if (last !== undefined && epoch === last.epoch && holder === last.holder) return;
    if (last !== undefined && epoch <= last.epoch) {
      throw new Violation(`epoch ${epoch} of lease ${name} was granted after ${last.epoch}`);
    }
    this.terms += 1;
    this.#epochs.set(name, { epoch, holder });
  }

  /** The ODB took a write that carries an epoch: it must be the newest that was ever granted. */
  fencedWrite(name: string, epoch: number): void {
    const newest = this.#epochs.get(name)?.epoch ?? 0;
    if (epoch === newest) return;
    throw new Violation(`a write of epoch ${epoch} of ${name} was taken after epoch ${newest}`);
  }

  /** A server begins to run what it claimed. */
  begun(job: string, time: number, attempt: number): void {
    const key = `${job}@${time}#${attempt}`;
    if (this.#begun.has(key)) throw new Violation(`${key} runs twice`);
    this.#begun.add(key);
  }

  /** Two servers believe to hold a lease at one instant. */
  believed(name: string, one: string, other: string): void {
    throw new Violation(`${one} and ${other} believe to hold lease ${name} at once`);
  }

  require(isKept: boolean, promise: () => string): void {
    if (!isKept) throw new Violation(promise());
  }
}
