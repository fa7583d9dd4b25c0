import { writeStandardOutput } from "./line-sink.ts";
import { reasonOf } from "../errors/platform-error.ts";

/** Levels in order; a logger writes its own level and everything after it. */
export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Structured facts beside the message. Errors under the key `error` are expanded. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one JSON object per line: `time` (ISO 8601), `level`, `msg`, then context, then fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose every line also carries `context`; `level`: default this one's. */
  child(context: LogFields, level?: LogLevel): Logger;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly context?: LogFields;
  /** Receives each line without its newline; must not throw. Default: standard output. */
  readonly write?: (line: string) => void;
}

export function createLogger(
  { level = "info", context = {}, write = writeStandardOutput }: LoggerOptions = {},
): Logger {
  const threshold = logLevels.indexOf(level);
  const log = (index: number) => (message: string, fields?: LogFields) => {
    if (index >= threshold) write(renderLine(logLevels[index]!, message, context, fields));
  };
  return {
    debug: log(0),
    info: log(1),
    warn: log(2),
    error: log(3),
    child: (more, own = level) =>
      createLogger({ level: own, context: { ...context, ...more }, write }),
  };
}

/** A logger that writes nothing. */
export const silentLogger: Logger = createLogger({ write: () => {} });

function renderLine(
  level: LogLevel,
  msg: string,
  context: LogFields,
  fields: LogFields | undefined,
): string {
  const head = { time: new Date().toISOString(), level, msg };
  try {
    // Twice: first for its place in the line, then so that no field can take it.
    return JSON.stringify({ ...head, ...context, ...fields, ...head }, replace);
  } catch (error) {
    // A cycle, or a toJSON that throws. What cannot be logged must not take the work down with it.
    const rest = { ...writableFields(context), ...writableFields(fields) };
    return JSON.stringify({ ...rest, ...head, unwritable: reasonOf(error) });
  }
}

/** Each field as far as it can be written; of an error that cannot be, at least what it says. */
function writableFields(fields: LogFields | undefined): LogFields {
  const written: Record<string, unknown> = {};
  for (const key of Object.keys(fields ?? {})) {
    try {
      const value = fields![key]; // it has keys
      const text = JSON.stringify({ [key]: value }, replace);
      Object.assign(written, JSON.parse(text));
    } catch {
      written[key] = key === "error" ? reasonOf(fields![key]) : "[unwritable]";
    }
  }
  return written;
}

// Last line of defence: no field with such a name reaches a log, whoever passed it.
const secretName =
  /passw|passphrase|secret|token|credential|authorization|cookie|(api|private|cluster)[-_]?key/i;

/** The password of a URL, as drivers like to quote it in their errors. */
const urlPassword = /(:\/\/[^\s:/@?#]*:)[^\s/@?#]+@/g;

function replace(this: unknown, key: string, value: unknown): unknown {
  if (secretName.test(key) && (typeof value === "string" || typeof value === "object")) {
    return "[redacted]";
  }
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return shortened(value).replace(urlPassword, "$1[redacted]@");
  // What an error's own toJSON leaves out for strangers, its stack and causes, belongs in a log.
  const original = (this as Record<string, unknown>)[key]; // JSON.stringify calls it on the holder
  return original instanceof Error ? errorFields(original) : value;
}

/** What one text may take of a line. */
const textMax = 32_768;

function shortened(text: string): string {
  return text.length > textMax ? `${text.slice(0, textMax)}...` : text;
}

/** Causes that are followed: an error may be its own. */
const causesMax = 10;

function errorFields(error: Error, causes = causesMax): Record<string, unknown> {
  const { cause } = error;
  return {
    type: error.name,
    ...("code" in error ? { code: error.code } : {}),
    message: reasonOf(error),
    stack: error.stack,
    ...(cause instanceof Error && causes > 0 ? { cause: errorFields(cause, causes - 1) } : {}),
  };
}
