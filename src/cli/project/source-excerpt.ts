import { readFile } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { isPlatformError, reasonOf } from "../../errors/platform-error.ts";

/** What is wrong at which place of a project's files. */
export interface SourceProblem {
  /** `services/hello.ts:5:14`; undefined when the problem has no place. */
  readonly where: string | undefined;
  readonly reason: string;
  readonly advice?: string;
  /** The source line and a caret under the place. */
  readonly excerpt: readonly string[];
}

/**
 * What an error says, taken apart: our errors about files begin with `file:line:column: `, and list
 * further ones in `details`. `files` are searched for places that are only given by a base name.
 */
export async function describeProblems(
  error: unknown,
  { directory, files = [] }: { readonly directory: string; readonly files?: readonly string[] },
): Promise<readonly SourceProblem[]> {
  // Where the source is wrong, the place is the advice.
  const isSource = isPlatformError(error) && /^(DEPLOY_|CLI_DEPLOY_)/.test(error.code);
  const advice = isPlatformError(error) && !isSource ? error.advice : undefined;
  const details: unknown = isPlatformError(error) ? error.details : undefined;
  const further = Array.isArray(details)
    ? details.filter((item): item is string => typeof item === "string" && located(item) !== null)
    : [];
  const first = await describe(reasonOf(error), { directory, files });
  const others = further.map((text) => describe(text, { directory, files }));
  return [
    advice === undefined ? first : { ...first, advice },
    ...await Promise.all(others.slice(0, 4)),
  ];
}

/** The source line with its number, and a caret below the column (from 1). */
export async function excerptOf(
  file: string,
  { line, column }: { readonly line: number; readonly column: number },
): Promise<readonly string[]> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  const source = text?.split(/\r?\n/)[line - 1];
  if (source === undefined || line < 1) return [];
  const number = String(line).padStart(5);
  // Tabs stay tabs, so that the caret stands where the terminal shows the column.
  const indent = source.slice(0, column - 1).replace(/[^\t]/g, " ");
  return [`${number} | ${source}`, `${" ".repeat(5)} | ${indent}^`];
}

async function describe(
  text: string,
  { directory, files }: { readonly directory: string; readonly files: readonly string[] },
): Promise<SourceProblem> {
  const place = located(text) ?? locatedAtEnd(text);
  if (place === null) return { where: undefined, reason: text, excerpt: [] };
  const { name, line, column, reason } = place;
  const file = files.find((path) => path.endsWith(`/${name}`)) ?? resolve(directory, name);
  const excerpt = await excerptOf(file, { line, column });
  return { where: `${relative(directory, file)}:${line}:${column}`, reason, excerpt };
}

interface Located {
  readonly name: string;
  readonly line: number;
  readonly column: number;
  readonly reason: string;
}

/** `/path/hello.ts:5:14: reason` */
function located(text: string): Located | null {
  const found = /^(\S[^\n:]*):(\d+):(\d+): ([\s\S]*)$/.exec(text);
  return found && placed(found[1]!, [found[2]!, found[3]!], found[4]!);
}

/** `reason (hello.ts:5:14)`, as a module that does not load reports it. */
function locatedAtEnd(text: string): Located | null {
  const found = /^([\s\S]*) \(([^():\s]+):(\d+):(\d+)\)$/.exec(text);
  return found && placed(found[2]!, [found[3]!, found[4]!], found[1]!);
}

function placed(name: string, [line, column]: readonly [string, string], reason: string): Located {
  return { name, line: Number(line), column: Number(column), reason };
}
