import { execFile } from "node:child_process";
import type { RunCommand } from "../../rehearsal/cluster.ts";
import { runtimeCommand } from "../lifecycle/runtime-command.ts";

/** Output that a command may print. */
const outputBytesMax = 64 * 1024 * 1024;

/**
 * Runs command lines in processes of their own, with `env` added to ours: of this installation, or
 * of the one that has this launcher.
 */
export function createRunCommand(
  base: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>>,
  launcher?: string,
): RunCommand {
  return (words, { env = {}, within = [] } = {}) =>
    new Promise((resolve) => {
      const { program, words: all } = launcher === undefined
        ? runtimeCommand(words)
        : { program: launcher, words };
      const [first, ...rest] = [...within, program, ...all];
      const options = { env: { ...base, ...added, ...env }, maxBuffer: outputBytesMax };
      execFile(first!, rest, options, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ exitCode, stdout, stderr });
      });
    });
}
