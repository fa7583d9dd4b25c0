/**
 * True when `text` matches a Redis pattern: `*`, `?`, `[abc]`, `[^a-c]` and `\` before a character
 * that is meant literally. Takes time in proportion to pattern times text, whatever the pattern.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let starPattern = -1;
  let starText = 0;
  while (t < text.length) {
    if (pattern[p] === "*") {
      starPattern = p++;
      starText = t;
      continue;
    }
    const next = p < pattern.length ? matchOne(pattern, p, text[t]!) : 0;
    if (next > 0) {
      p = next;
      t++;
    } else if (starPattern >= 0) {
      // Only the last star need take more: whatever an earlier one could take, this one can.
      p = starPattern + 1;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** Where the pattern goes on after the one element at `p`; 0 when it does not match. */
function matchOne(pattern: string, p: number, character: string): number {
  const element = pattern[p]!;
  if (element === "?") return p + 1;
  if (element === "[") return matchSet(pattern, p + 1, character);
  if (element === "\\" && p + 1 < pattern.length) {
    return pattern[p + 1] === character ? p + 2 : 0;
  }
  return element === character ? p + 1 : 0;
}

function matchSet(pattern: string, start: number, character: string): number {
  let p = start;
  const negated = pattern[p] === "^";
  if (negated) p++;
  let found = false;
  for (; p < pattern.length && pattern[p] !== "]"; p++) {
    if (pattern[p] === "\\" && p + 1 < pattern.length) {
      p++;
      found ||= pattern[p] === character;
    } else if (pattern[p + 1] === "-" && p + 2 < pattern.length) {
      const [low, high] = [pattern[p]!, pattern[p + 2]!].sort();
      found ||= character >= low! && character <= high!;
      p += 2;
    } else {
      found ||= pattern[p] === character;
    }
  }
  // A set that is never closed ends with the pattern, as in Redis.
  return found === negated ? 0 : Math.min(p + 1, pattern.length);
}
