import { IndexedMap } from "./indexed-map.ts";

/** One member of a sorted set. */
export interface Scored {
  readonly member: string;
  readonly score: number;
}

const bucketSize = 512;

/**
 * Members with scores, in the order of score and then bytes. The order is kept in sorted buckets
 * of at most 512, so that adding, removing and finding a rank touch one bucket and the lengths of
 * the others. Every range (by rank, score or name) is a range of ranks.
 */
export class SortedSet {
  readonly #members = new IndexedMap<Scored>();
  #buckets: Scored[][] = [];

  get size(): number {
    return this.#members.size;
  }

  /** By member, for random picks and scans. */
  get members(): IndexedMap<Scored> {
    return this.#members;
  }

  score(member: string): number | undefined {
    return this.#members.get(member)?.score;
  }

  set(member: string, score: number): void {
    const previous = this.#members.get(member);
    if (previous?.score === score) return;
    if (previous !== undefined) this.#unplace(previous);
    const entry = { member, score };
    this.#members.set(member, entry);
    this.#place(entry);
  }

  delete(member: string): boolean {
    const entry = this.#members.get(member);
    if (entry === undefined) return false;
    this.#members.delete(member);
    this.#unplace(entry);
    return true;
  }

  /** Position from 0, lowest first. */
  rank(member: string): number | undefined {
    const entry = this.#members.get(member);
    return entry && this.countWhile((other) => isBefore(other, entry));
  }

  /** How many members come first for which `holds`; it must hold for no member after those. */
  countWhile(holds: (entry: Scored) => boolean): number {
    const index = partition(this.#buckets, (bucket) => holds(bucket.at(-1)!));
    let count = 0;
    for (let i = 0; i < index; i++) count += this.#buckets[i]!.length;
    return count + partition(this.#buckets[index] ?? [], holds);
  }

  /** Members of ranks from `start` up to, not including, `end`. */
  slice(start: number, end: number): Scored[] {
    const found: Scored[] = [];
    let first = 0;
    for (const bucket of this.#buckets) {
      if (first >= end) break;
      if (first + bucket.length > start) {
        found.push(...bucket.slice(Math.max(0, start - first), end - first));
      }
      first += bucket.length;
    }
    return found;
  }

  #place(entry: Scored): void {
    if (this.#buckets.length === 0) {
      this.#buckets.push([entry]);
      return;
    }
    const at = this.#bucketOf(entry);
    const bucket = this.#buckets[at]!;
    bucket.splice(partition(bucket, (other) => isBefore(other, entry)), 0, entry);
    if (bucket.length > bucketSize) {
      this.#buckets.splice(at + 1, 0, bucket.splice(bucketSize / 2));
    }
  }

  #unplace(entry: Scored): void {
    const at = this.#bucketOf(entry);
    const bucket = this.#buckets[at]!;
    bucket.splice(partition(bucket, (other) => isBefore(other, entry)), 1);
    if (bucket.length === 0) this.#buckets.splice(at, 1);
  }

  #bucketOf(entry: Scored): number {
    const at = partition(this.#buckets, (bucket) => isBefore(bucket.at(-1)!, entry));
    return Math.min(at, this.#buckets.length - 1);
  }
}

function isBefore(a: Scored, b: Scored): boolean {
  return a.score < b.score || (a.score === b.score && a.member < b.member);
}

/** How many of `items` come first for which `holds`. */
function partition<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
