import { relative } from "node:path";
import { renderTypeProblem } from "../problem-text.ts";
import { checkTypes, type TypeProblem } from "../type-check.ts";

/** Checks types beside the work; a newer check ends an older one. */
export class BackgroundCheck implements AsyncDisposable {
  readonly #directory: string;
  readonly #colour: boolean;
  readonly #onResult: (texts: readonly string[]) => void;
  #current: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;

  constructor(
    directory: string,
    { colour, onResult }: {
      readonly colour: boolean;
      /** Hears the errors of every check that came to its end, as lines. */
      readonly onResult: (texts: readonly string[]) => void;
    },
  ) {
    this.#directory = directory;
    this.#colour = colour;
    this.#onResult = onResult;
  }

  start(files: readonly string[]): void {
    this.#current?.stop.abort();
    const stop = new AbortController();
    this.#current = { stop, done: this.#run(files, stop.signal) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#current?.stop.abort();
    await this.#current?.done;
  }

  async #run(files: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      const names = files.map((file) => relative(this.#directory, file));
      const { problems, failure } = await checkTypes(this.#directory, names, { signal });
      if (signal.aborted) return;
      const texts = await Promise.all(problems.map((problem) => this.#render(problem)));
      this.#onResult(failure === undefined ? texts : [`${failure}\n`]);
    } catch (error) {
      // A process that was ended on purpose has nothing to say.
      if (!signal.aborted) this.#onResult([`${String(error)}\n`]);
    }
  }

  #render(problem: TypeProblem): Promise<string> {
    return renderTypeProblem(problem, {
      directory: this.#directory,
      sink: { colour: this.#colour },
    });
  }
}
