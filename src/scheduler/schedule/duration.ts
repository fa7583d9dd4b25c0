const units = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

const pattern = new RegExp(
  `^${units.map(([unit]) => `(?:(\\d{1,12}(?:\\.\\d{1,9})?)${unit}(?![a-z]))?`).join("")}$`,
);

/**
 * Milliseconds of a duration such as `1h30m`, `2w3d`, `1.5s` or `250ms`: units from weeks to
 * milliseconds, each at most once, the larger ones first. Undefined when it is none, or has parts
 * of a millisecond.
 */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null || text === "") return undefined;
  const total = units.reduce((sum, [, ms], index) => sum + Number(match[index + 1] ?? 0) * ms, 0);
  // 0.07h is a whole number of milliseconds, but not in binary fractions.
  const rounded = Math.round(total);
  return Math.abs(total - rounded) < 1e-6 && Number.isSafeInteger(rounded) ? rounded : undefined;
}

/** A span of time for people, by its two largest units: `5m 30s`; below a second `250ms`. */
export function renderDuration(ms: number): string {
  const whole = ms < 1_000 ? Math.round(ms) : Math.round(ms / 1_000) * 1_000;
  const parts: string[] = [];
  let left = whole;
  for (const [unit, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break;
  }
  return parts.length === 0 ? "0s" : parts.join(" ");
}
