import { CommandError } from "../command-error.ts";

/** A reply that repeats items may hold this many. */
const repeatedMax = 1_000_000;

/**
 * Random positions among `size`: `count` different ones, or all; a negative count means that many
 * of which some may be the same.
 */
export function pickIndexes(size: number, count: number): number[] {
  if (size === 0) return [];
  if (count < 0) {
    if (-count > repeatedMax) throw new CommandError("ERR value is out of range");
    return Array.from({ length: -count }, () => Math.floor(Math.random() * size));
  }
  if (count >= size) return Array.from({ length: size }, (_, index) => index);
  // Fisher-Yates that remembers only what it has swapped.
  const moved = new Map<number, number>();
  const picked: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = i + Math.floor(Math.random() * (size - i));
    picked.push(moved.get(at) ?? at);
    moved.set(at, moved.get(i) ?? i);
  }
  return picked;
}
