const escapes: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["b", "\b"],
  ["a", "\x07"],
]);

/**
 * Splits a line that a person typed into arguments: blanks between them, "..." with escapes and
 * '...' without. Undefined when a quote is not closed, or closed in the middle of a word.
 */
export function splitInline(line: string): string[] | undefined {
  const args: string[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && isBlank(line[at]!)) at++;
    if (at >= line.length) return args;
    const read = readWord(line, at);
    if (read === undefined) return undefined;
    args.push(read.word);
    at = read.end;
  }
}

interface Word {
  readonly word: string;
  readonly end: number;
}

function readWord(line: string, start: number): Word | undefined {
  let word = "";
  let at = start;
  while (at < line.length && !isBlank(line[at]!)) {
    const character = line[at]!;
    if (character !== '"' && character !== "'") {
      word += character;
      at++;
      continue;
    }
    const quoted = character === '"' ? readDouble(line, at + 1) : readSingle(line, at + 1);
    if (quoted === undefined) return undefined;
    const after = line[quoted.end];
    if (after !== undefined && !isBlank(after)) return undefined;
    return { word: word + quoted.word, end: quoted.end };
  }
  return { word, end: at };
}

function readDouble(line: string, start: number): Word | undefined {
  let word = "";
  for (let at = start; at < line.length; at++) {
    const character = line[at]!;
    if (character === '"') return { word, end: at + 1 };
    if (character !== "\\" || at + 1 >= line.length) {
      word += character;
      continue;
    }
    const hex = /^x([0-9a-f]{2})/i.exec(line.slice(at + 1, at + 4));
    if (hex !== null) {
      word += String.fromCharCode(parseInt(hex[1]!, 16));
      at += 3;
    } else {
      const escaped = line[++at]!;
      word += escapes.get(escaped) ?? escaped;
    }
  }
  return undefined;
}

function readSingle(line: string, start: number): Word | undefined {
  let word = "";
  for (let at = start; at < line.length; at++) {
    if (line[at] === "'") return { word, end: at + 1 };
    if (line[at] === "\\" && line[at + 1] === "'") at++;
    word += line[at]!;
  }
  return undefined;
}

function isBlank(character: string): boolean {
  return character === " " || (character >= "\t" && character <= "\r") || character === "\0";
}
