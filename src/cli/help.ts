import type { Command } from "./command.ts";
import { createParser } from "./parse-command.ts";

/** The help text of one command; `below` are commands whose path begins with this one's. */
export function renderCommandHelp(command: Command, below: readonly Command[] = []): string {
  const parser = createParser(command);
  const paragraphs = [sentence(command.summary), command.description].filter((text) => text);
  parser.description(paragraphs.join("\n\n"));
  const examples = command.examples.map((example) => `  ${example}`).join("\n");
  const more = below.length === 0 ? "" : `\nCommands:\n${renderSummaries(below)}\n`;
  return `${parser.helpInformation()}${more}\nExamples:\n${examples}\n`;
}

/** The help text of a group: the whole command line (`path` empty), or such as `ca`. */
export function renderGroupHelp(path: string, commands: readonly Command[]): string {
  const title = path === ""
    ? "Dragoman connects systems that do not speak each other's language.\n\n"
    : "";
  const usage = `Usage: dragoman ${path === "" ? "" : `${path} `}<command> [options]\n`;
  const first = commands[0]?.examples[0];
  const example = path === "" ? "dragoman quickstart create ./demo --start" : first;
  return `${title}${usage}\nCommands:\n${renderSummaries(commands)}\n\n` +
    `Run dragoman <command> --help for the arguments and options of a command.\n` +
    `\nExamples:\n  ${example}\n`;
}

function renderSummaries(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ path }) => path.length));
  return commands.map(({ path, summary }) => `  ${path.padEnd(width)}  ${summary}`).join("\n");
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
