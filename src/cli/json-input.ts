import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import type { CommandIo } from "./io.ts";

/** The value of an `--input` option: JSON, `-` for standard input, `{}` when absent. */
export async function parseJsonInput(
  option: string | undefined,
  io: CommandIo,
  command: string,
): Promise<unknown> {
  const text = option === "-" ? await io.readStdin() : option ?? "{}";
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = `The input is not JSON: ${reasonOf(error)}`;
    throw new PlatformError("CLI_USAGE", { reason, command });
  }
}
