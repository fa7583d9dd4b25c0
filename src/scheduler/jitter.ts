/**
 * By how much a time of a job is put off, from 0 to below `jitterMs`. The same for the same job and
 * time, so that planning again comes to the same.
 */
export function jitterOf(job: string, timeMs: number, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  let hash = 0x811c9dc5;
  for (const character of `${job}\n${timeMs}`) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193); // a character has a code point
  }
  // The last characters reach only the lower bits of the hash; stir it, so that all bits count.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * jitterMs);
}
