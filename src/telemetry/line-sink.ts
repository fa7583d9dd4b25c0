import { writeSync } from "node:fs";
import { reasonOf } from "../errors/platform-error.ts";

/** How long a line may wait for a reader that lags, once. */
const patienceMs = 20;

/** A way to write lines that never throws and never keeps what it could not write. */
export interface LineSink {
  readonly write: (line: string) => void;
  /**
   * Why lines are being lost; undefined when none are. Tries to say how many were, so that this is
   * known even when nothing else is written.
   */
  readonly failure: () => string | undefined;
}

/**
 * Makes a sink: on a full disk, requests must be answered all the same. When writing works again, a
 * line says how many were lost.
 */
export function createLineSink(write: (text: string) => void): LineSink {
  let lost = 0;
  let reason: string | undefined;
  const tellLost = () => {
    if (lost > 0) write(lostLine(lost));
    lost = 0;
    reason = undefined;
  };
  return {
    write: (line) => {
      try {
        tellLost();
        write(`${line}\n`);
      } catch (error) {
        lost++; // there is nowhere to say so until writing works again
        reason = reasonOf(error);
      }
    },
    failure: () => {
      try {
        tellLost();
      } catch (error) {
        reason = reasonOf(error);
      }
      return reason;
    },
  };
}

/** Lines to standard output, written when the call returns: none is lost when the process ends. */
export const standardOutput: LineSink = createLineSink(createTextWriter(1));

/** Writes a line to `standardOutput`. */
export const writeStandardOutput: (line: string) => void = standardOutput.write;

/** A way to write texts whole; after one that was cut short, the next begins on a line of its own. */
function createTextWriter(descriptor: number): (text: string) => void {
  let isTorn = false;
  return (text) => {
    let rest: Uint8Array = Buffer.from(isTorn ? `\n${text}` : text);
    const sizeBytes = rest.length;
    let waited = false;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(descriptor, rest));
      } catch (error) {
        const isFull = error instanceof Error && "code" in error && error.code === "EAGAIN";
        if (isFull && !waited) {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, patienceMs);
          waited = true;
          continue;
        }
        isTorn ||= rest.length < sizeBytes;
        throw error;
      }
    }
    isTorn = false;
  };
}

function lostLine(lost: number): string {
  const time = new Date().toISOString();
  return `${
    JSON.stringify({ time, level: "warn", msg: "Log lines could not be written", lost })
  }\n`;
}
