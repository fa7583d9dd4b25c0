import { execFile } from "node:child_process";
import type { RunCommand } from "../../rehearsal/cluster.ts";
import { runtimeCommand } from "../lifecycle/runtime-command.ts";

/** Output that a command may print. */
const outputBytesMax = 64 * 1024 * 1024;

/** Runs command lines of this installation in processes of their own, with `env` added to ours. */
export function createRunCommand(
  base: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>>,
): RunCommand {
  return (words, { env = {} } = {}) =>
    new Promise((resolve) => {
      const { program, words: all } = runtimeCommand(words);
      const options = { env: { ...base, ...added, ...env }, maxBuffer: outputBytesMax };
      execFile(program, [...all], options, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ exitCode, stdout, stderr });
      });
    });
}
