import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { poll } from "../../src/lib/wait.ts";
import { outputPattern, type Step } from "./markdown-steps.ts";

const checkout = resolve(import.meta.dirname!, "../..");

/** Variables of the shell, those that are exported and others; some of its own are read-only. */
const dump = "set | grep -vE '^(PPID|UID|EUID|SHELLOPTS|BASH[A-Z_]*)='; export -p";

export interface ReaderOptions {
  /** Where the reader begins. Default: an empty directory of their own. */
  readonly directory?: string;
  /** Texts of the pages and what this machine has in their place, such as ports. */
  readonly replacements?: readonly (readonly [string, string])[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Somebody who does what pages say, in one shell: variables and the working directory stay from
 * step to step. `dragoman` is on their PATH.
 */
export class Reader implements AsyncDisposable {
  readonly #state: string;
  readonly #replacements: readonly (readonly [string, string])[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #background: Background[] = [];
  /** What the step before printed; undefined: what the command in the background prints. */
  #printed: string | undefined;

  private constructor(state: string, { replacements = [], env = {} }: ReaderOptions) {
    this.#state = state;
    this.#replacements = replacements;
    this.#env = {
      ...env,
      PATH: `${checkout}${delimiter}${process.env["PATH"] ?? ""}`,
      // As in a terminal: no meter, and the prompt on a line of its own.
      CURL_HOME: state,
    };
  }

  static async open(options: ReaderOptions = {}): Promise<Reader> {
    const state = await mkdtemp(join(tmpdir(), "dragoman-reader-"));
    await writeFile(join(state, ".curlrc"), 'silent\nshow-error\nwrite-out = "\\n"\n');
    const home = join(state, "home");
    await mkdir(home);
    await writeFile(join(state, "cwd"), options.directory ?? home);
    await writeFile(join(state, "variables"), "");
    return new Reader(state, options);
  }

  /** Does one step; rejects, with its place and what was printed, when it is not as the page says. */
  async follow(step: Step): Promise<void> {
    const text = this.replace(step.text);
    if (step.kind === "file") await this.#write(this.replace(step.path), text);
    else if (step.kind === "run") await this.#run(step, text);
    else if (step.kind === "background") await this.#start(text);
    else if (step.kind === "stop") await this.#background.pop()?.stop();
    else if (step.kind === "background-output" || this.#printed === undefined) {
      await this.#seesInBackground(step, text);
    } else this.#sees(step, text);
  }

  /** A text of a page as it is on this machine. */
  replace(text: string): string {
    return this.#replacements.reduce((done, [from, to]) => done.replaceAll(from, to), text);
  }

  async #run(step: Step & { readonly kind: "run" }, text: string): Promise<void> {
    const { exitCode, output } = await this.#shell(text);
    this.#printed = output;
    assert.equal(exitCode, step.exitCode, `${step.place} ended with ${exitCode}:\n${output}`);
  }

  #sees(step: Step, text: string): void {
    const printed = this.#printed ?? "";
    const expected = new RegExp(`^\\s*${outputPattern(text)}\\s*$`);
    assert.match(
      `${printed.trim()}\n`,
      expected,
      `${step.place} shows\n\n${text}\nnot\n\n${printed}`,
    );
  }

  /** Waits for it. */
  async #seesInBackground(step: Step, text: string): Promise<void> {
    const expected = new RegExp(outputPattern(text));
    const child = this.#background.at(-1);
    const printed = () => `${child?.text.trim()}\n`;
    const seen = await poll(() => expected.test(printed()) || undefined, { timeoutMs: 60_000 });
    assert.ok(seen, `${step.place} shows\n\n${text}\nnot\n\n${printed()}`);
  }

  async #write(path: string, text: string): Promise<void> {
    const file = resolve(await this.#cwd(), path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  async #cwd(): Promise<string> {
    return (await readFile(join(this.#state, "cwd"), "utf8")).trim();
  }

  async #start(text: string): Promise<void> {
    const child = new Background(`. "${this.#state}/variables"\nexec ${text}`, {
      cwd: await this.#cwd(),
      env: { ...process.env, ...this.#env },
    });
    this.#background.push(child);
    this.#printed = undefined;
  }

  async #shell(text: string): Promise<{ readonly exitCode: number; readonly output: string }> {
    const script = `exec 2>&1
. "${this.#state}/variables"
reader_keeps() { { ${dump}; } > "${this.#state}/variables"; pwd > "${this.#state}/cwd"; }
trap 'code=$?; reader_keeps; exit $code' EXIT
set -e
${text}`;
    const options = {
      cwd: await this.#cwd(),
      env: { ...process.env, ...this.#env },
      maxBuffer: 16 * 1024 * 1024,
    };
    return await new Promise((done) => {
      execFile("sh", ["-c", script], options, (error, output) => {
        const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        done({ exitCode, output });
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#background.splice(0)) await child.stop();
    await rm(this.#state, { recursive: true, force: true });
  }
}

/** A command in another terminal. */
class Background {
  readonly #child: ChildProcess;
  text = "";

  constructor(
    script: string,
    options: { readonly cwd: string; readonly env: Record<string, string | undefined> },
  ) {
    this.#child = spawn("sh", ["-c", script], { ...options, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (part: string) => this.text += part);
    }
  }

  /** Ctrl-C. */
  async stop(): Promise<void> {
    const isOver = () => this.#child.exitCode !== null || this.#child.signalCode !== null;
    if (!isOver()) this.#child.kill("SIGINT");
    const ended = await poll(() => isOver() || undefined, { timeoutMs: 60_000 });
    assert.ok(ended, `It did not end:\n${this.text}`);
  }
}
