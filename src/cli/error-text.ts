import type { Code } from "../errors/codes.ts";
import { isPlatformError, type PlatformError, reasonOf } from "../errors/platform-error.ts";
import type { TextSink } from "./io.ts";
import { paint } from "./output.ts";

export const exitCodes = { ok: 0, failed: 1, usage: 2, differs: 3 } as const;

const usageCodes: ReadonlySet<Code> = new Set<Code>([
  "CLI_UNKNOWN_COMMAND",
  "CLI_UNKNOWN_OPTION",
  "CLI_USAGE",
  "CLI_NO_TERMINAL",
]);

/** 2 when the command line itself was wrong, 1 for everything else that failed. */
export function exitCodeOf(error: unknown): number {
  return isPlatformError(error) && usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
}

/** Writes an error as what, why and how to fix it; with `verbose` the stack follows. */
export function printError(
  sink: TextSink,
  error: unknown,
  { verbose }: { readonly verbose: boolean },
): void {
  const label = (text: string) => (sink.colour ? paint("red", text) : text);
  const { what, why, fix } = explain(error);
  sink.write(`${label("Error:")} ${what}\n${label("Why:")}   ${why}\n${label("Fix:")}   ${fix}\n`);
  if (verbose) sink.write(`\n${stackOf(error)}\n`);
}

interface Explanation {
  readonly what: string;
  readonly why: string;
  readonly fix: string;
}

function explain(error: unknown): Explanation {
  if (!isPlatformError(error)) {
    return {
      what: `Unexpected error: ${reasonOf(error)}`,
      why: "This is a fault in Dragoman itself, not in what you asked for",
      fix: "Run the command again with --verbose and report the stack",
    };
  }
  return {
    what: error.message,
    why: `${whyOf(error)} (${error.code})`,
    fix: error.advice ?? "Run the command again with --verbose for more",
  };
}

const kindReasons = {
  input: "What was asked for is not valid",
  state: "The present state does not allow it",
  peer: "Another process or the network did not do its part",
  bug: "This is a fault in Dragoman itself, not in what you asked for",
} as const;

function whyOf(error: PlatformError): string {
  const said = error.message;
  const reasons = [...detailLines(error.details), ...causes(error.cause)]
    .filter((reason) => !said.includes(reason))
    // A cause often quotes its own cause; the longer text says it all.
    .filter((reason, index, all) =>
      !all.some((other, place) =>
        place !== index && other.includes(reason) &&
        (other !== reason || place < index)
      )
    );
  return reasons.length === 0 ? kindReasons[error.kind] : reasons.join("\n       ");
}

function causes(cause: unknown): readonly string[] {
  if (cause === undefined || cause === null) return [];
  const rest = cause instanceof Error ? causes(cause.cause) : [];
  return [reasonOf(cause), ...rest];
}

/** Details are plain JSON: `{ reasons: [...] }` is ours, everything else is shown field by field. */
function detailLines(details: unknown): readonly string[] {
  if (details === null || details === undefined) return [];
  if (typeof details !== "object") return [String(details)];
  if (Array.isArray(details)) return details.flatMap(describe);
  return Object.values(details).flatMap((value) =>
    Array.isArray(value) ? value.flatMap(describe) : []
  );
}

function describe(item: unknown): readonly string[] {
  if (item === null || typeof item !== "object") return [String(item)];
  const text = Object.values(item).filter((value) => typeof value === "string").join(": ");
  return text === "" ? [] : [text];
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
