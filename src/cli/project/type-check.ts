import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { runRuntime } from "./runtime-process.ts";

/** One error of the type checker. */
export interface TypeProblem {
  /** Relative to the project. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `TS2322` */
  readonly code: string;
  readonly message: string;
}

export interface TypeCheck {
  readonly problems: readonly TypeProblem[];
  /** What the checker said when it could not check at all. */
  readonly failure?: string;
}

/** Checks the types of a project's files with this installation's runtime. */
export async function checkTypes(
  directory: string,
  files: readonly string[],
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<TypeCheck> {
  if (files.length === 0) return { problems: [] };
  const { code, text } = await runRuntime("check", ["--quiet", ...files], {
    cwd: directory,
    colour: false,
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 0) return { problems: [] };
  const problems = parseTypeProblems(text, directory);
  return problems.length > 0 ? { problems } : { problems, failure: text.trim() };
}

/**
 * Reads what the checker prints: blocks of `TS1 [ERROR]: message`, the source line with `~~~` or `^` below
 * it, `at file:///...:line:column`, and sometimes related places, which are left out.
 */
export function parseTypeProblems(text: string, directory: string): readonly TypeProblem[] {
  const blocks = stripVTControlCharacters(text).split(/^(?=(?:TS\d+ )?\[ERROR\]: )/m);
  return blocks.flatMap((block): readonly TypeProblem[] => {
    const [, code, body] = /^(?:(TS\d+) )?\[ERROR\]: ([\s\S]*)/.exec(block) ?? [];
    const place = /^ {4}at (file:\S+?):(\d+):(\d+)$/m.exec(block);
    if (body === undefined || place === null) return [];
    const lines = block.slice(0, place.index).trimEnd().split("\n");
    const marks = lines.findLastIndex((line) => /^\s*[~^]+$/.test(line));
    const said = marks > 1 ? lines.slice(0, marks - 1) : lines;
    return [{
      file: relative(directory, fileURLToPath(place[1]!)),
      line: Number(place[2]),
      column: Number(place[3]),
      code: code ?? "TS",
      message: said.join("\n").replace(/^(?:TS\d+ )?\[ERROR\]: /, ""),
    }];
  });
}
