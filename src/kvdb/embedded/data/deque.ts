const smallestCapacity = 8;

/** A list of byte strings with cheap ends: a ring buffer that grows and shrinks by halves. */
export class Deque {
  #ring: (string | undefined)[] = new Array(smallestCapacity);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The item at `index` from 0 to length - 1. */
  at(index: number): string {
    return this.#ring[this.#place(index)]!;
  }

  replace(index: number, item: string): void {
    this.#ring[this.#place(index)] = item;
  }

  pushLeft(item: string): void {
    this.#resizeWhenFull();
    this.#head = (this.#head - 1) & (this.#ring.length - 1);
    this.#ring[this.#head] = item;
    this.#length++;
  }

  pushRight(item: string): void {
    this.#resizeWhenFull();
    this.#ring[this.#place(this.#length++)] = item;
  }

  popLeft(): string | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = this.#place(1);
    this.#length--;
    this.#resizeWhenSparse();
    return item;
  }

  popRight(): string | undefined {
    if (this.#length === 0) return undefined;
    const place = this.#place(--this.#length);
    const item = this.#ring[place];
    this.#ring[place] = undefined;
    this.#resizeWhenSparse();
    return item;
  }

  /** Items from `start` up to, not including, `end`; both within the list. */
  slice(start = 0, end: number = this.#length): string[] {
    const items: string[] = [];
    for (let i = start; i < end; i++) items.push(this.at(i));
    return items;
  }

  /** Replaces everything. */
  assign(items: readonly string[]): void {
    let capacity = smallestCapacity;
    while (capacity < items.length) capacity *= 2;
    this.#ring = new Array(capacity);
    items.forEach((item, index) => this.#ring[index] = item);
    this.#head = 0;
    this.#length = items.length;
  }

  #place(index: number): number {
    return (this.#head + index) & (this.#ring.length - 1);
  }

  #resizeWhenFull(): void {
    if (this.#length === this.#ring.length) this.#resize(this.#ring.length * 2);
  }

  #resizeWhenSparse(): void {
    const capacity = this.#ring.length;
    if (capacity > smallestCapacity && this.#length < capacity / 4) this.#resize(capacity / 2);
  }

  #resize(capacity: number): void {
    const ring = new Array<string | undefined>(capacity);
    for (let i = 0; i < this.#length; i++) ring[i] = this.at(i);
    this.#ring = ring;
    this.#head = 0;
  }
}
