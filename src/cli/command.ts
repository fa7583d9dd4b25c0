import type { CommandIo } from "./io.ts";

/** One positional argument. Its key in `arguments` is its name; the order of keys is its place. */
interface ArgumentSpec {
  readonly summary: string;
  readonly optional?: true;
  /** Takes all remaining words; only the last argument may. */
  readonly variadic?: true;
}

interface OptionBase {
  readonly summary: string;
  /** One letter: `-o`. */
  readonly short?: string;
}

interface ValueOption extends OptionBase {
  /** What the help text calls the value, such as `DIR`. */
  readonly value: string;
  readonly required?: true;
}

/** One option. Its camelCase key in `options` becomes the kebab-case flag `--like-this`. */
export type OptionSpec =
  | (OptionBase & { readonly type: "flag" })
  | (ValueOption & { readonly type: "text"; readonly default?: string })
  | (ValueOption & { readonly type: "list" })
  | (ValueOption & {
    readonly type: "integer";
    readonly min: number;
    readonly max: number;
    readonly default?: number;
  })
  | (OptionBase & {
    readonly type: "choice";
    readonly choices: readonly string[];
    readonly default?: string;
    readonly required?: true;
  });

type Arguments = Readonly<Record<string, ArgumentSpec>>;
type Options = Readonly<Record<string, OptionSpec>>;

type ArgumentValue<A> = A extends { variadic: true } ? readonly string[]
  : A extends { optional: true } ? string | undefined
  : string;

type Given<O, T> = O extends { required: true } | { default: string | number } ? T : T | undefined;

type OptionValue<O> = O extends { type: "flag" } ? boolean
  : O extends { type: "list" } ? readonly string[]
  : O extends { type: "integer" } ? Given<O, number>
  : O extends { type: "choice"; choices: readonly (infer C)[] } ? Given<O, C>
  : Given<O, string>;

/** What `run` is handed: arguments and options by their keys, checked and converted. */
export type CommandInput<A extends Arguments, O extends Options> =
  & { readonly [K in keyof A]: ArgumentValue<A[K]> }
  & { readonly [K in keyof O]: OptionValue<O[K]> };

/** What the command line knows of a command, without the types of its input. */
export interface Command {
  /** The words that name it: `quickstart create`. */
  readonly path: string;
  /** One line, sentence case, no full stop. */
  readonly summary: string;
  /** Further paragraphs of the help text. */
  readonly description?: string;
  readonly arguments: Arguments;
  readonly options: Options;
  /** Whole command lines; at least one. */
  readonly examples: readonly [string, ...string[]];
  /** Resolves with the exit code; undefined is 0. What it throws is shown as what, why, fix. */
  readonly run: (input: never, io: CommandIo) => Promise<number | void>;
}

/** Declares a command as data and types the input of `run` from it. */
export function defineCommand<const A extends Arguments, const O extends Options>(
  command: Omit<Command, "arguments" | "options" | "run"> & {
    readonly arguments: A;
    readonly options: O;
    readonly run: (input: CommandInput<A, O>, io: CommandIo) => Promise<number | void>;
  },
): Command {
  return Object.freeze(command);
}

/** Options that several commands share, so that they read the same everywhere. */
export const limitOption = {
  type: "integer",
  min: 1,
  max: 1_000,
  default: 20,
  value: "N",
  summary: "How many to list at most",
} as const satisfies OptionSpec;

export const outputOption = {
  type: "choice",
  short: "o",
  choices: ["table", "json", "yaml"],
  default: "table",
  summary: "How to print the result",
} as const satisfies OptionSpec;

export const environmentOption = {
  type: "text",
  value: "DIR",
  summary: "Environment, or a server's directory (default: $DRAGOMAN_ENV, else the nearest one)",
} as const satisfies OptionSpec;

export const yesOption = {
  type: "flag",
  short: "y",
  summary: "Do not ask for confirmation",
} as const satisfies OptionSpec;

/** `httpPort` -> `http-port`. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
