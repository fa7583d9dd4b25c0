import type { ConfigurationDiff } from "../../load-balancer/api.ts";
import { paint } from "../output.ts";

/** Both differences, what people write first; `-` lines go, `+` lines come. */
export function renderDiff(
  { document, native }: ConfigurationDiff,
  { colour }: { readonly colour: boolean },
): string {
  if (document.length === 0 && native.length === 0) return "No difference";
  const part = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`${title}:\n${lines.map((line) => show(line, colour)).join("\n")}`];
  return [...part("Configuration", document), ...part("What the engine runs", native)].join("\n\n");
}

function show(line: string, colour: boolean): string {
  if (!colour) return line.trimEnd();
  if (line.startsWith("+")) return paint("green", line);
  return line.startsWith("-") ? paint("red", line) : paint("dim", line);
}
