import { type ChildProcess, spawn } from "node:child_process";
import { installation } from "./installation.ts";

export interface RuntimeOptions {
  readonly cwd: string;
  readonly colour: boolean;
  /** Hears what is written, as it comes; without it the text is only in the result. */
  readonly onText?: (text: string, stream: "stdout" | "stderr") => void;
  /** Ends the process. */
  readonly signal?: AbortSignal;
}

export interface RuntimeResult {
  readonly code: number;
  /** Both streams in one. */
  readonly text: string;
}

/**
 * Runs a command of the runtime with this installation's configuration, so that "dragoman" is the
 * module that servers run, whatever the project has installed.
 */
export function runRuntime(
  command: "check" | "test",
  words: readonly string[],
  { cwd, colour, onText, signal }: RuntimeOptions,
): Promise<RuntimeResult> {
  const { NO_COLOR: _, FORCE_COLOR: __, ...rest } = process.env;
  const env = {
    ...rest,
    DENO_NO_UPDATE_CHECK: "1",
    RUST_BACKTRACE: "0",
    RUST_LIB_BACKTRACE: "0",
    ...(colour ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }),
  };
  const all = [command, "--config", installation.config, ...words];
  const child = spawn(process.execPath, all, {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    ...(signal === undefined ? {} : { signal }),
  });
  return collect(child, onText);
}

function collect(
  child: ChildProcess,
  onText: RuntimeOptions["onText"],
): Promise<RuntimeResult> {
  return new Promise((resolve, reject) => {
    let text = "";
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        onText?.(part, name);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, text }));
  });
}
