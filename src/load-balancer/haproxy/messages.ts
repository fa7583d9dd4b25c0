/** One line that HAProxy wrote to standard error. */
export interface HaproxyMessage {
  readonly level: "notice" | "warning" | "alert";
  /** Without the level and the process id. */
  readonly text: string;
}

/** Reads `[ALERT]    (123) : text`; a line without such a head is a notice. */
export function parseMessage(line: string): HaproxyMessage {
  const match = /^\[(ALERT|WARNING|NOTICE)\]\s+\(\d+\)\s*:\s*(.*)$/.exec(line.trim());
  if (match === null) return { level: "notice", text: line.trim() };
  return { level: match[1]!.toLowerCase() as HaproxyMessage["level"], text: match[2]!.trim() }; // the pattern's words
}

/** The alerts among HAProxy's lines as one text; empty when there are none. */
export function alertsOf(lines: readonly string[]): string {
  return lines.map(parseMessage)
    .filter((message) => message.level === "alert" && !isSummary(message.text))
    .map((message) => message.text.replace(/^config\s*:\s*/, ""))
    .join("; ");
}

/** Lines that only say that there were lines before. */
function isSummary(text: string): boolean {
  return /Error\(s\) found in configuration file|Fatal errors found in configuration/.test(text);
}
