import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { PlatformError } from "../errors/platform-error.ts";
import { writeStandardOutput } from "../telemetry/line-sink.ts";

/** Somewhere to write text. */
export interface TextSink {
  write(text: string): void;
  /** A person looks at it right now. */
  readonly isTty: boolean;
  /** Escape sequences for colour are welcome. */
  readonly colour: boolean;
  readonly columns: number;
}

/** Everything a command knows of the process that it runs in, so that tests can lend it another. */
export interface CommandIo {
  readonly stdout: TextSink;
  /** A line of a component's log, which goes to standard output and never fails. */
  log(line: string): void;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Reads standard input to its end. */
  readStdin(): Promise<string>;
  readonly prompt: Prompt;
  /** Resolves with the name of the first SIGTERM or SIGINT. */
  stopSignal(): Promise<string>;
}

/** Questions to a person. Both reject with CLI_NO_TERMINAL when there is nobody to ask. */
interface Prompt {
  ask(question: string): Promise<string>;
  /** What is typed does not show. */
  askSecret(question: string): Promise<string>;
}

/** The input and output of this process. */
export function createProcessIo(): CommandIo {
  return {
    stdout: createSink(process.stdout),
    log: writeStandardOutput,
    stderr: createSink(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    readStdin,
    prompt: {
      ask: (question) => askTerminal(question, { hidden: false }),
      askSecret: (question) => askTerminal(question, { hidden: true }),
    },
    stopSignal: () =>
      new Promise((resolve) => {
        for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
      }),
  };
}

function createSink(stream: NodeJS.WriteStream): TextSink {
  const isTty = stream.isTTY === true;
  const noColour = (process.env["NO_COLOR"] ?? "") !== "" || process.env["TERM"] === "dumb";
  return {
    write: (text) => void stream.write(text),
    isTty,
    colour: isTty && !noColour,
    columns: isTty ? stream.columns ?? 100 : 100,
  };
}

async function readStdin(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array); // no encoding is set
  return Buffer.concat(chunks).toString("utf8");
}

async function askTerminal(
  question: string,
  { hidden }: { readonly hidden: boolean },
): Promise<string> {
  if (!process.stdin.isTTY) throw new PlatformError("CLI_NO_TERMINAL", { question });
  let muted = false;
  // readline echoes what is typed into its output: a muted output is all that hiding takes.
  const output = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      if (!muted) process.stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  try {
    const answer = lines.question(`${question} `);
    muted = hidden;
    return await answer;
  } finally {
    lines.close();
    if (hidden) process.stderr.write("\n");
  }
}
