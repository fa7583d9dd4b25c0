import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";

/** A wall clock of its own for a process and its children, which can be made to jump. */
export interface WallClock {
  /** Start the process with these. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on (within a second) the clock shows so much more than the machine's. */
  jump(offsetSeconds: number): Promise<void>;
}

/** Where Debian puts libfaketime; the triplet is the machine's. */
const libraries = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map((triplet) =>
  `/usr/lib/${triplet}/faketime/libfaketimeMT.so.1`
);

/** Undefined where libfaketime is not installed. */
export function findWallClockLibrary(): string | undefined {
  return libraries.find((path) => existsSync(path));
}

/**
 * Makes a clock that a file steers. Timers are not concerned: the monotonic clock stays the
 * machine's, as when an administrator or a broken time server sets the wall clock.
 */
export async function createWallClock(library: string, file: string): Promise<WallClock> {
  const jump = (offsetSeconds: number) =>
    writeFile(file, `${offsetSeconds < 0 ? "-" : "+"}${Math.abs(offsetSeconds)}\n`);
  await jump(0);
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
    jump,
  };
}
