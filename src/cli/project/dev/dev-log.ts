import type { TextSink } from "../../io.ts";
import { paint } from "../../output.ts";
import { renderProblem } from "../problem-text.ts";
import { describeProblems } from "../source-excerpt.ts";

/** Prints what happens while a project is worked on: one line each, in the order of time. */
export class DevLog {
  readonly #sink: TextSink;
  readonly #directory: string;
  /** What is wrong at the moment, by subject: it is said once, not at every save elsewhere. */
  readonly #said = new Map<string, string>();

  constructor(sink: TextSink, directory: string) {
    this.#sink = sink;
    this.#directory = directory;
  }

  say(text: string): void {
    this.#sink.write(`${this.#time()} ${text}\n`);
  }

  /** Something works that may not have worked before. */
  good(subject: string, text: string): void {
    this.#said.delete(subject);
    this.say(`${this.#paint("green", "ok")}   ${subject} ${text}`);
  }

  /** Forgets what was wrong with a subject. */
  settle(subject: string): void {
    this.#said.delete(subject);
  }

  /** Says what is wrong with a subject, with the place in the source where there is one. */
  async problem(
    subject: string,
    error: unknown,
    { files, note = "" }: { readonly files: readonly string[]; readonly note?: string },
  ): Promise<void> {
    const [first, ...others] = await describeProblems(error, {
      directory: this.#directory,
      files,
    });
    if (first === undefined) return;
    const remark = note === "" ? "" : ` (${note})`;
    // The place says it all where it is in the subject itself.
    const name = first.where?.startsWith(`${subject}:`) === true ? "" : `${subject}: `;
    const head = renderProblem({ ...first, reason: first.reason + remark }, this.#sink);
    const text = name + [head, ...others.map((other) => renderProblem(other, this.#sink))].join("");
    if (this.#said.get(subject) === text) return;
    this.#said.set(subject, text);
    this.#sink.write(`${this.#time()} ${this.#paint("red", "fail")} ${text}`);
  }

  /** Says problems that are ready to print, when they differ from the last ones of the subject. */
  problems(subject: string, texts: readonly string[]): void {
    const text = texts.join("");
    if ((this.#said.get(subject) ?? "") === text) return;
    if (text === "") return this.good(subject, "have no errors any more");
    this.#said.set(subject, text);
    const count = texts.length === 1 ? "1 error" : `${texts.length} errors`;
    this.#sink.write(
      `${this.#time()} ${this.#paint("yellow", "warn")} ${subject}: ${count}\n${text}`,
    );
  }

  #time(): string {
    const time = new Date().toTimeString().slice(0, 8);
    return this.#sink.colour ? paint("dim", time) : time;
  }

  #paint(style: Parameters<typeof paint>[0], text: string): string {
    return this.#sink.colour ? paint(style, text) : text;
  }
}

/** ` 212 ms after the save`; nothing where no save is known. */
export function afterSave(savedAt: number | undefined): string {
  return savedAt === undefined ? "" : `, ${Math.round(Date.now() - savedAt)} ms after the save`;
}
