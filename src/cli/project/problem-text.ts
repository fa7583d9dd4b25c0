import { join } from "node:path";
import type { TextSink } from "../io.ts";
import { paint } from "../output.ts";
import { excerptOf, type SourceProblem } from "./source-excerpt.ts";
import type { TypeProblem } from "./type-check.ts";

/** A type error as lines: place and message, then the source line with a caret. */
export async function renderTypeProblem(
  { file, line, column, code, message }: TypeProblem,
  { directory, sink }: { readonly directory: string; readonly sink: Pick<TextSink, "colour"> },
): Promise<string> {
  const where = `${file}:${line}:${column}`;
  const excerpt = await excerptOf(join(directory, file), { line, column });
  return renderProblem({ where, reason: `${message} (${code})`, excerpt }, sink);
}

/** A problem as lines: place and reason, the source line with a caret, and how to fix it. */
export function renderProblem(
  { where, reason, advice, excerpt }: SourceProblem,
  { colour }: Pick<TextSink, "colour">,
): string {
  const place = where === undefined ? "" : `${colour ? paint("bold", where) : where} `;
  const lines = excerpt.map((line, index) => (colour && index > 0 ? paint("red", line) : line));
  const fix = advice === undefined ? [] : [`        Fix: ${advice}`];
  return [`${place}${reason}`, ...lines, ...fix].join("\n") + "\n";
}
