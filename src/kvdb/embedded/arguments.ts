import { CommandError, notAFloat, notAnInteger, syntaxError } from "./command-error.ts";
import { isInteger, parseDouble } from "./data/numbers.ts";

/** A 64-bit integer argument; exact up to 2^53, near enough beyond for positions and counts. */
export function integerArg(text: string, message: string = notAnInteger): number {
  if (!isInteger(text)) throw new CommandError(message);
  return Number(text);
}

/** A count that may not be negative. */
export function countArg(
  text: string,
  message = "ERR value is out of range, must be positive",
): number {
  const count = integerArg(text, message);
  if (count < 0) throw new CommandError(message);
  return count;
}

export function doubleArg(text: string, message: string = notAFloat): number {
  const number = parseDouble(text);
  if (number === undefined) throw new CommandError(message);
  return number;
}

/** Walks over the options after a command's fixed arguments. */
export class OptionReader {
  readonly #args: readonly string[];
  #at: number;

  constructor(args: readonly string[], from: number) {
    this.#args = args;
    this.#at = from;
  }

  get rest(): number {
    return this.#args.length - this.#at;
  }

  /** The next option in upper case; undefined at the end. */
  next(): string | undefined {
    return this.#args[this.#at++]?.toUpperCase();
  }

  /** The argument of the option just read; throws a syntax error when there is none. */
  value(): string {
    const value = this.#args[this.#at++];
    if (value === undefined) throw new CommandError(syntaxError);
    return value;
  }
}

/** Positions as LRANGE means them: negative from the end, clamped; nothing when reversed. */
export function clampRange(
  start: number,
  stop: number,
  length: number,
): { readonly from: number; readonly to: number } {
  const from = Math.max(0, start < 0 ? start + length : start);
  const to = Math.min(length, (stop < 0 ? stop + length : stop) + 1);
  return from >= to ? { from: 0, to: 0 } : { from, to };
}
