import { runCommandLine } from "./dispatch.ts";
import { createProcessIo } from "./io.ts";

// A reader that has seen enough, such as head, is no error.
process.stdout.on("error", () => process.exit(0));
const code = await runCommandLine(process.argv.slice(2), createProcessIo());
// A client library's idle socket or timer must not keep a finished command alive. Standard output
// may be a pipe that is still being read, so it is flushed first.
process.stdout.write("", () => process.exit(code));
