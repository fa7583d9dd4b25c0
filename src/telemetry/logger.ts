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
  /** A logger whose every line also carries `context`. */
  child(context: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly context?: LogFields;
  /** Receives each line without its newline. Default: standard output. */
  readonly write?: (line: string) => void;
}

export function createLogger(
  { level = "info", context = {}, write = writeStdout }: LoggerOptions = {},
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
    child: (more) => createLogger({ level, context: { ...context, ...more }, write }),
  };
}

/** A logger that writes nothing. */
export const silentLogger: Logger = createLogger({ write: () => {} });

function writeStdout(line: string): void {
  process.stdout.write(line + "\n");
}

function renderLine(
  level: LogLevel,
  msg: string,
  context: LogFields,
  fields: LogFields | undefined,
): string {
  const time = new Date().toISOString();
  return JSON.stringify({ time, level, msg, ...context, ...fields }, replace);
}

// Last line of defence: no field with such a name reaches a log, whoever passed it.
const secretName = /passw|secret|token|authorization|api-?key|private-?key|cookie/i;

function replace(key: string, value: unknown): unknown {
  if (secretName.test(key) && (typeof value === "string" || typeof value === "object")) {
    return "[redacted]";
  }
  if (typeof value === "bigint") return value.toString();
  return value instanceof Error ? errorFields(value) : value;
}

function errorFields(error: Error): Record<string, unknown> {
  return {
    type: error.name,
    ...("code" in error ? { code: error.code } : {}),
    message: error.message,
    stack: error.stack,
    ...(error.cause instanceof Error ? { cause: errorFields(error.cause) } : {}),
  };
}
