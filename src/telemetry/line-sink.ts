import { writeSync } from "node:fs";

/** How long a line may wait for a reader that lags, once. */
const patienceMs = 20;

/**
 * Makes a way to write lines that never throws and never keeps what it could not write: on a full
 * disk, requests must be answered all the same. When writing works again, a line says how many were
 * lost.
 */
export function createLineSink(write: (text: string) => void): (line: string) => void {
  let lost = 0;
  return (line) => {
    try {
      if (lost > 0) write(lostLine(lost));
      lost = 0;
      write(`${line}\n`);
    } catch {
      lost++; // there is nowhere to say so until writing works again
    }
  };
}

/** Lines to standard output, written when the call returns: none is lost when the process ends. */
export const writeStandardOutput: (line: string) => void = createLineSink((text) => {
  let rest: Uint8Array = Buffer.from(text);
  let waited = false;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      const isFull = error instanceof Error && "code" in error && error.code === "EAGAIN";
      if (!isFull || waited) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, patienceMs);
      waited = true;
    }
  }
});

function lostLine(lost: number): string {
  const time = new Date().toISOString();
  return `${
    JSON.stringify({ time, level: "warn", msg: "Log lines could not be written", lost })
  }\n`;
}
