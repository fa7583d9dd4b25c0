import { PlatformError } from "../errors/platform-error.ts";
import { nearestName } from "../lib/nearest-name.ts";
import type { Command } from "./command.ts";
import { exitCodeOf, exitCodes, printError } from "./error-text.ts";
import { renderCommandHelp, renderGroupHelp } from "./help.ts";
import type { CommandIo } from "./io.ts";
import { parseCommand } from "./parse-command.ts";
import { commandPaths, loadCommand, loadCommands } from "./registry.ts";

/**
 * Runs one command line (without the program's name) and resolves with the exit code: 0 done,
 * 1 failed, 2 the command line itself was wrong. Never rejects; errors go to `io.stderr`.
 */
export async function runCommandLine(words: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await dispatch(normalise(words), io);
  } catch (error) {
    printError(io.stderr, error, { verbose: words.includes("--verbose") });
    return exitCodeOf(error);
  }
}

/** `help ca list` is `ca list --help`; `--version` is `version`. */
function normalise(words: readonly string[]): readonly string[] {
  if (words[0] === "help") return [...words.slice(1), "--help"];
  if (words[0] === "--version" || words[0] === "-V") return ["version"];
  return words;
}

async function dispatch(words: readonly string[], io: CommandIo): Promise<number> {
  const path = findPath(words);
  const command = path === undefined ? undefined : await loadCommand(path);
  if (command === undefined) return await showGroup(words, io);
  const below = await loadBelow(command.path, words);
  const rest = words.slice(command.path.split(" ").length);
  const parsed = parseCommand(command, rest, { help: () => renderCommandHelp(command, below) });
  if (parsed.action === "help") {
    io.stdout.write(parsed.text);
    return exitCodes.ok;
  }
  // The parser has made the input after the command's own declaration.
  return await command.run(parsed.input as never, io) ?? exitCodes.ok;
}

/** The longest path that the words begin with. */
function findPath(words: readonly string[]): string | undefined {
  const longest = Math.max(...commandPaths.map((path) => path.split(" ").length));
  for (let count = Math.min(longest, words.length); count > 0; count--) {
    const path = words.slice(0, count).join(" ");
    if (commandPaths.includes(path)) return path;
  }
  return undefined;
}

async function loadBelow(path: string, words: readonly string[]): Promise<readonly Command[]> {
  return words.some((word) => word === "-h" || word === "--help") ? await loadCommands(path) : [];
}

/** Shows a group's help, or refuses a command that does not exist. */
async function showGroup(words: readonly string[], io: CommandIo): Promise<number> {
  const options = words.findIndex((word) => word.startsWith("-"));
  const named = options === -1 ? words : words.slice(0, options);
  const path = named.join(" ");
  const commands = await loadCommands(path);
  if (commands.length === 0) throw unknownCommand(named);
  const asked = words.includes("-h") || words.includes("--help");
  if (!asked && options !== -1) {
    const option = words[options]!;
    throw new PlatformError("CLI_UNKNOWN_OPTION", { option, command: path || "itself" }, {
      advice: "Name a command first; run dragoman --help for the list",
    });
  }
  if (asked || path === "") {
    io.stdout.write(renderGroupHelp(path, commands));
    return exitCodes.ok;
  }
  throw new PlatformError(
    "CLI_USAGE",
    { reason: `"${path}" needs a further word`, command: path },
    {
      details: commands.map((command) => `dragoman ${command.path}`),
      advice: `Run dragoman ${path} --help for what each of them does`,
    },
  );
}

function unknownCommand(words: readonly string[]): PlatformError {
  const command = words.join(" ");
  // Of a long line only the first words can name a command.
  const candidates = [words.slice(0, 3), words.slice(0, 2), words.slice(0, 1)];
  const near = candidates.map((candidate) => nearestName(candidate.join(" "), commandPaths))
    .find((name) => name !== undefined);
  return new PlatformError("CLI_UNKNOWN_COMMAND", { command }, {
    ...(near === undefined ? {} : { details: [`The nearest command is dragoman ${near}`] }),
  });
}
