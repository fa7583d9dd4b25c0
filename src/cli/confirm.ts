import { PlatformError } from "../errors/platform-error.ts";
import type { CommandIo } from "./io.ts";

/** Asks the person to type `answer` before `what` is done; throws CLI_NOT_CONFIRMED otherwise. */
export async function confirm(
  io: CommandIo,
  { what, answer, yes }: {
    /** `Drop every table of the ODB`. */
    readonly what: string;
    /** What must be typed, such as the name of what will be gone. */
    readonly answer: string;
    /** `--yes` was given. */
    readonly yes: boolean;
  },
): Promise<void> {
  if (yes) return;
  const typed = await io.prompt.ask(`${what}? Type "${answer}" to confirm:`);
  if (typed.trim() !== answer) throw new PlatformError("CLI_NOT_CONFIRMED", { what });
}
