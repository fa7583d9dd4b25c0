import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { poll } from "../../src/lib/wait.ts";

const launcher = resolve(import.meta.dirname!, "../../dragoman");

/** A `dragoman dev` that runs. */
export class DevProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  #text = "";
  #exitCode: number | undefined;

  constructor(words: readonly string[], env: Record<string, string> = {}) {
    this.#child = spawn(launcher, ["dev", ...words], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (part: string) => this.#text += part);
    }
    this.#child.once("exit", (code) => this.#exitCode = code ?? -1);
  }

  /** Everything it has printed. */
  get text(): string {
    return this.#text;
  }

  /** Waits until it has printed something after the place `from`, and returns what matched. */
  async prints(pattern: RegExp, { from = 0 } = {}): Promise<RegExpExecArray> {
    const found = await poll(() => {
      const match = pattern.exec(this.#text.slice(from));
      if (match !== null) return match;
      if (this.#exitCode !== undefined) throw new Error(`It ended:\n${this.#text}`);
      return undefined;
    }, { timeoutMs: 60_000, intervalMs: 20 });
    if (found === undefined) throw new Error(`It never printed ${pattern}:\n${this.#text}`);
    return found;
  }

  /** What Ctrl-C does; resolves with the exit code. */
  async interrupt(): Promise<number> {
    // The child's own method would hide the exit code behind the signal's name.
    process.kill(this.#child.pid!, "SIGINT");
    const code = await poll(() => this.#exitCode, { timeoutMs: 60_000 });
    if (code === undefined) throw new Error(`It did not end:\n${this.#text}`);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exitCode === undefined) await this.interrupt();
  }
}
