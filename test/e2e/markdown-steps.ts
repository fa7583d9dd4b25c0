import { readFile } from "node:fs/promises";

/** One thing that a page tells its reader to do, or shows them. */
export type Step =
  & {
    /** `docs/tutorial/01-install.md:12`, where the step begins. */
    readonly place: string;
    readonly text: string;
  }
  & (
    | { readonly kind: "run"; readonly exitCode: number }
    | { readonly kind: "background" | "stop" | "output" | "background-output" }
    | { readonly kind: "file"; readonly path: string }
  );

const fence = /^```(\S+)(?: +(.*))?\n([\s\S]*?)^```$|^<!-- (stop) -->$/gm;

/**
 * The steps of a page, in order:
 *
 * - ` ```sh ` is run; ` ```sh exit=3 ` ends with 3, ` ```sh background ` runs until `<!-- stop -->`,
 *   ` ```sh no-run ` is only for readers;
 * - ` ```text ` is what the step before it prints, where `...` stands for anything in a line, and a
 *   line of its own for any lines; ` ```text background ` is what the command in the background
 *   prints in the end, among other things;
 * - ` ```ts services/hello.ts ` is a file: any language, when a path follows.
 */
export async function readSteps(file: string, name: string): Promise<readonly Step[]> {
  const markdown = await readFile(file, "utf8");
  return [...markdown.matchAll(fence)].flatMap((match) => {
    const [, language = "", info = "", text = "", stop] = match;
    const place = `${name}:${markdown.slice(0, match.index).split("\n").length}`;
    const common = { place, text };
    if (stop !== undefined) return { ...common, kind: "stop" as const };
    if (language === "sh") return commandStep(common, info);
    if (language === "text" && info === "") return { ...common, kind: "output" as const };
    if (language === "text") return backgroundStep(common, info);
    return info === "" ? [] : { ...common, kind: "file" as const, path: info };
  });
}

function commandStep(
  common: { readonly place: string; readonly text: string },
  info: string,
): Step | readonly Step[] {
  if (info === "no-run") return [];
  if (info === "background") return { ...common, kind: "background" };
  const exitCode = Number(/^exit=(\d+)$/.exec(info)?.[1] ?? (info === "" ? 0 : NaN));
  if (Number.isNaN(exitCode)) throw new Error(`${common.place}: "${info}" is no kind of command`);
  return { ...common, kind: "run", exitCode };
}

function backgroundStep(
  common: { readonly place: string; readonly text: string },
  info: string,
): Step {
  if (info === "background") return { ...common, kind: "background-output" };
  throw new Error(`${common.place}: "${info}" is no kind of output`);
}

/** What an output that a page shows matches: `...` is anything. */
export function outputPattern(shown: string): string {
  return shown.trim().split("\n").map((line) => {
    if (line.trim() === "...") return "(?:[^\\n]*\\n)*?";
    const parts = line.trimEnd().split("...").map((part) =>
      part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
    );
    return `${parts.join("[^\\n]*")}[^\\S\\n]*\\n`;
  }).join("");
}
