import { PlatformError } from "../errors/platform-error.ts";
import { runCommandLine } from "./dispatch.ts";
import type { CommandIo, TextSink } from "./io.ts";

/** What a command wrote and how it ended. */
export interface CapturedRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CapturedOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** What a person types, question by question; without it there is no terminal. */
  readonly answers?: readonly string[];
  readonly colour?: boolean;
}

/** Runs a command line in this process, for tests. */
export async function runCaptured(
  words: readonly string[],
  options: CapturedOptions = {},
): Promise<CapturedRun> {
  const { io, written } = createCapturedIo(options);
  const code = await runCommandLine(words, io);
  return { code, ...written() };
}

/** Input and output that a test looks into. */
export function createCapturedIo(
  { cwd = "/", env = {}, stdin = "", answers, colour = false }: CapturedOptions = {},
): {
  readonly io: CommandIo;
  readonly written: () => { readonly stdout: string; readonly stderr: string };
} {
  const texts = { stdout: "", stderr: "" };
  const sink = (name: keyof typeof texts): TextSink => ({
    write: (text) => void (texts[name] += text),
    isTty: false,
    colour,
    columns: 100,
  });
  const left = [...answers ?? []];
  const answer = (question: string) => {
    const text = left.shift();
    return text === undefined
      ? Promise.reject(new PlatformError("CLI_NO_TERMINAL", { question }))
      : Promise.resolve(text);
  };
  const io: CommandIo = {
    stdout: sink("stdout"),
    log: (line) => void (texts.stdout += `${line}\n`),
    stderr: sink("stderr"),
    env,
    cwd,
    readStdin: () => Promise.resolve(stdin),
    prompt: { ask: answer, askSecret: answer },
    stopSignal: () => new Promise(() => {}), // nobody stops a test
  };
  return { io, written: () => ({ ...texts }) };
}
