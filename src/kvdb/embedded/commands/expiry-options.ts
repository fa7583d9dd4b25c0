import { integerArg } from "../arguments.ts";
import { CommandError } from "../command-error.ts";

/** Units of time, and whether it counts from now: EX 10, PX 10000, EXAT 1700000000, PXAT .... */
const units = {
  EX: { factor: 1000, relative: true },
  PX: { factor: 1, relative: true },
  EXAT: { factor: 1000, relative: false },
  PXAT: { factor: 1, relative: false },
} as const;

export type ExpiryOption = keyof typeof units;

export function isExpiryOption(option: string): option is ExpiryOption {
  return Object.hasOwn(units, option);
}

const int64Max = 2 ** 63;

/** A time that a command was given, and the moment of the command itself in Unix time. */
export interface GivenTime {
  readonly option: ExpiryOption;
  readonly value: string;
  readonly nowMs: number;
}

/** The moment that an option names, as Unix time in ms; throws when it is not after 1970. */
export function expiryOptionMs({ option, value, nowMs }: GivenTime, command: string): number {
  const time = integerArg(value);
  const at = toMoment(option, time, nowMs);
  if (time <= 0 || at === undefined) throw invalidExpiry(command);
  return at;
}

/** As `expiryOptionMs`, for times that may lie in the past. */
export function momentMs({ option, value, nowMs }: GivenTime, command: string): number {
  const at = toMoment(option, integerArg(value), nowMs);
  if (at === undefined) throw invalidExpiry(command);
  return at;
}

/** Undefined when it leaves the range of 64 bits. */
function toMoment(option: ExpiryOption, time: number, nowMs: number): number | undefined {
  const { factor, relative } = units[option];
  const at = time * factor + (relative ? nowMs : 0);
  return Math.abs(time * factor) >= int64Max || at >= int64Max ? undefined : at;
}

function invalidExpiry(command: string): CommandError {
  return new CommandError(`ERR invalid expire time in '${command}' command`);
}
