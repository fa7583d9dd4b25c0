import { resolve } from "node:path";
import { loadText } from "../../config/yaml-source.ts";
import type { CommandIo } from "../io.ts";

/** An option that names a file whose text, without the newline at its end, is a password. */
export function passwordFileOption(whose: string) {
  return {
    type: "text",
    value: "FILE",
    summary: `File that holds the password of ${whose}`,
  } as const;
}

/** Reads such a file; undefined when none is named. Throws CONFIG_UNREADABLE. */
export async function loadPassword(
  file: string | undefined,
  io: CommandIo,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  return (await loadText(resolve(io.cwd, file))).replace(/\r?\n$/, "");
}
