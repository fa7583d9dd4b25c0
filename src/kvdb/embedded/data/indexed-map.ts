interface Slot<V> {
  readonly key: string;
  value: V;
  index: number;
}

/** Up to this size a removal keeps the order of the others, as Redis's compact encodings do. */
const orderedSize = 128;

/**
 * A map that also has positions: a random entry is found at once, and a scan can be resumed by a
 * plain number. Keys are byte strings (one character a byte), and never property names.
 */
export class IndexedMap<V> {
  readonly #byKey = new Map<string, Slot<V>>();
  readonly #slots: Slot<V>[] = [];

  get size(): number {
    return this.#slots.length;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  get(key: string): V | undefined {
    return this.#byKey.get(key)?.value;
  }

  /** True when the key is new. */
  set(key: string, value: V): boolean {
    const slot = this.#byKey.get(key);
    if (slot !== undefined) {
      slot.value = value;
      return false;
    }
    const added = { key, value, index: this.#slots.length };
    this.#byKey.set(key, added);
    this.#slots.push(added);
    return true;
  }

  /** True when the key was there. */
  delete(key: string): boolean {
    const slot = this.#byKey.get(key);
    if (slot === undefined) return false;
    this.#byKey.delete(key);
    const slots = this.#slots;
    if (slots.length <= orderedSize) {
      slots.splice(slot.index, 1);
      for (let i = slot.index; i < slots.length; i++) slots[i]!.index = i;
      return true;
    }
    const last = slots.pop()!;
    if (last !== slot) {
      slots[slot.index] = last;
      last.index = slot.index;
    }
    return true;
  }

  clear(): void {
    this.#byKey.clear();
    this.#slots.length = 0;
  }

  /** The entry at a position from 0 to size - 1; positions change with removals. */
  at(index: number): readonly [key: string, value: V] {
    const slot = this.#slots[index]!;
    return [slot.key, slot.value];
  }

  keys(): string[] {
    return this.#slots.map((slot) => slot.key);
  }

  *entries(): Generator<readonly [key: string, value: V]> {
    for (const slot of this.#slots) yield [slot.key, slot.value];
  }

  /** A random position; the map must not be empty. */
  randomIndex(): number {
    return Math.floor(Math.random() * this.#slots.length);
  }

  /**
   * Visits up to `count` entries and returns the cursor to go on with, 0 when it is through.
   * Cursor 0 begins. What is there from the first call to the last is visited at least once,
   * whatever is added and removed meanwhile: the scan goes down from the end, and a removal only
   * ever moves entries down.
   */
  scan(cursor: number, count: number, visit: (key: string, value: V) => void): number {
    const from = cursor === 0 ? this.#slots.length : Math.min(cursor, this.#slots.length);
    const to = Math.max(0, from - count);
    for (let i = from - 1; i >= to; i--) {
      const slot = this.#slots[i]!;
      visit(slot.key, slot.value);
    }
    return to;
  }
}
