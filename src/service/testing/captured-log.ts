import { type LogFields, type Logger, type LogLevel, logLevels } from "../../telemetry/logger.ts";

/** A line that a service has logged. */
export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  /** Also `service` and `cid`. */
  readonly fields: LogFields;
}

export interface CapturedLogOptions {
  readonly write: (line: LogLine) => void;
  readonly context?: LogFields;
  /** Default `debug`. */
  readonly level?: LogLevel;
}

/** A logger whose lines a test looks at. */
export function createCapturedLog(
  { write, context = {}, level = "debug" }: CapturedLogOptions,
): Logger {
  const log = (own: LogLevel) => (message: string, fields: LogFields = {}) => {
    if (logLevels.indexOf(own) < logLevels.indexOf(level)) return;
    write({ level: own, message, fields: { ...context, ...fields } });
  };
  return {
    debug: log("debug"),
    info: log("info"),
    warn: log("warn"),
    error: log("error"),
    child: (more, own = level) =>
      createCapturedLog({ write, context: { ...context, ...more }, level: own }),
  };
}
