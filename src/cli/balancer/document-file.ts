import { resolve } from "node:path";
import { loadText, parseYaml } from "../../config/yaml-source.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import type { OptionSpec } from "../command.ts";
import type { CommandIo } from "../io.ts";

/** A configuration of the balancer in a file. */
export const documentFileOption = {
  type: "text",
  short: "f",
  value: "FILE",
  summary: "The configuration as YAML or JSON, or - for standard input",
} as const satisfies OptionSpec;

/** Reads a configuration. Throws CONFIG_UNREADABLE, CONFIG_SYNTAX, CLI_USAGE. */
export async function readDocument(
  file: string,
  io: CommandIo,
  command: string,
): Promise<unknown> {
  const path = resolve(io.cwd, file);
  return file === "-"
    ? parseDocumentText(await io.readStdin(), "standard input", command)
    : parseDocumentText(await loadText(path), path, command);
}

/** An empty text is a configuration that changes nothing of config.yaml. */
export function parseDocumentText(text: string, file: string, command: string): unknown {
  const sources = parseYaml(text, file);
  if (sources.length > 1) {
    const reason = `${file} holds ${sources.length} documents, and only one can be applied`;
    throw new PlatformError("CLI_USAGE", { reason, command });
  }
  return sources[0]?.value ?? {};
}
