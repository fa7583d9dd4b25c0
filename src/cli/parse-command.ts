import {
  Argument,
  Command as Parser,
  CommanderError,
  InvalidArgumentError,
  Option,
} from "commander";
import { PlatformError } from "../errors/platform-error.ts";
import { didYouMean, nearestName } from "../lib/nearest-name.ts";
import { type Command, flagName, type OptionSpec } from "./command.ts";

/** What a command line asks of one command: its help text, or a run with this input. */
export type ParsedCommand =
  | { readonly action: "help"; readonly text: string }
  | {
    readonly action: "run";
    readonly input: Readonly<Record<string, unknown>>;
    readonly verbose: boolean;
  };

/**
 * Reads the words after a command's path. Throws CLI_UNKNOWN_OPTION with the nearest option, or
 * CLI_USAGE that says what is missing or wrong. `help` is the text that `--help` shows.
 */
export function parseCommand(
  command: Command,
  words: readonly string[],
  { help }: { readonly help: () => string },
): ParsedCommand {
  const parser = createParser(command);
  try {
    parser.parse([...words], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.code === "commander.helpDisplayed") return { action: "help", text: help() };
      throw usageError(command, error);
    }
    throw error;
  }
  return { action: "run", ...readInput(command, parser) };
}

/** A commander parser for one command, without output of its own. */
export function createParser(command: Command): Parser {
  const parser = new Parser(`dragoman ${command.path}`)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {}, getOutHelpWidth: () => 100 })
    .showSuggestionAfterError(false)
    .helpOption("-h, --help", "Show this help")
    .action(() => {});
  for (const [name, spec] of Object.entries(command.arguments)) {
    const text = `${flagName(name)}${spec.variadic === true ? "..." : ""}`;
    const shape = spec.optional === true ? `[${text}]` : `<${text}>`;
    parser.addArgument(new Argument(shape, spec.summary));
  }
  for (const [name, spec] of Object.entries(command.options)) {
    parser.addOption(createOption(name, spec));
  }
  return parser.option("--verbose", "Show the stack of an error");
}

function createOption(name: string, spec: OptionSpec): Option {
  const short = spec.short === undefined ? "" : `-${spec.short}, `;
  const value = spec.type === "flag"
    ? ""
    : ` <${spec.type === "choice" ? spec.choices.join("|") : spec.value}>`;
  const note = spec.type === "list" ? " (may be repeated)" : isRequired(spec) ? " (required)" : "";
  const option = new Option(`${short}--${flagName(name)}${value}`, spec.summary + note);
  if (spec.type === "list") {
    option.default([]).argParser((text: string, all: readonly string[]) => [...all, text]);
    option.defaultValueDescription = "none";
  }
  if (spec.type === "integer") option.argParser((text) => parseInteger(text, spec));
  if (spec.type === "choice") option.argParser((text) => parseChoice(text, spec.choices));
  if ("default" in spec) option.default(spec.default);
  return option;
}

function isRequired(spec: OptionSpec): boolean {
  return "required" in spec && spec.required === true;
}

function parseInteger(
  text: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`wanted a whole number from ${min} to ${max}`);
}

function parseChoice(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  const hint = didYouMean(text, choices);
  throw new InvalidArgumentError(`wanted ${choices.join(", ")}${hint}`);
}

function readInput(
  command: Command,
  parser: Parser,
): { readonly input: Record<string, unknown>; readonly verbose: boolean } {
  const { verbose, ...options } = parser.opts<Record<string, unknown>>();
  const input: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(command.options)) {
    input[name] = spec.type === "flag" ? options[name] === true : options[name];
    if (isRequired(spec) && input[name] === undefined) {
      const reason = `The option --${flagName(name)} must be given: ${spec.summary}`;
      throw new PlatformError("CLI_USAGE", { reason, command: command.path });
    }
  }
  Object.keys(command.arguments).forEach((name, index) => {
    input[name] = parser.processedArgs[index];
  });
  return { input, verbose: verbose === true };
}

function usageError(command: Command, error: CommanderError): PlatformError {
  const reason = error.message.replace(/^error: /, "").replace(/\.$/, "");
  if (error.code === "commander.unknownOption") {
    const option = /'(.*)'/.exec(reason)?.[1] ?? reason;
    const flags = [...Object.keys(command.options).map(flagName), "help", "verbose"];
    const near = nearestName(option.replace(/^-+/, ""), flags);
    throw new PlatformError("CLI_UNKNOWN_OPTION", { option, command: command.path }, {
      ...(near === undefined ? {} : { details: [`The nearest option is --${near}`] }),
    });
  }
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return new PlatformError("CLI_USAGE", { reason: sentence, command: command.path });
}
