/** Unchanged lines shown around a change. */
const context = 2;

/**
 * The difference of two texts, line by line: `-` for lines that go, `+` for lines that come, a
 * blank for those around them, `...` where equal lines are left out. Empty when they are equal.
 */
export function diffLines(before: string, after: string): readonly string[] {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  if (start === a.length && start === b.length) return [];
  const middle = compare(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const lines = [
    ...a.slice(0, start).map((line) => `  ${line}`),
    ...middle,
    ...a.slice(a.length - end).map((line) => `  ${line}`),
  ];
  return leaveOutEqual(lines);
}

/** By the longest common subsequence. */
function compare(a: readonly string[], b: readonly string[]): string[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i]![j] = a[i] === b[j]
        ? lengths[i + 1]![j + 1]! + 1
        : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`  ${a[i]}`);
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) {
      lines.push(`- ${a[i++]}`);
    } else lines.push(`+ ${b[j++]}`);
  }
  return lines;
}

function leaveOutEqual(lines: readonly string[]): readonly string[] {
  const isNear = (index: number) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some((line) =>
      !line.startsWith("  ")
    );
  const kept: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (isNear(index)) kept.push(line);
    else if (kept.at(-1) !== "...") kept.push("...");
  }
  return kept;
}
