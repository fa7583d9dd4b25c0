import type { CommandIo } from "../io.ts";
import { paint } from "../output.ts";

/** One step of a longer piece of work. */
export interface Step {
  readonly title: string;
  /** Resolves with a word on what came of it, if there is one to say. */
  run(): Promise<string | void>;
}

/**
 * Runs steps one after the other and shows how far they are: a live list where a person watches,
 * numbered lines on standard error everywhere else. The first failure is thrown; when `signal` is
 * aborted no further step begins.
 */
export async function runSteps(
  steps: readonly Step[],
  { io, live, signal }: {
    readonly io: CommandIo;
    /** A terminal shows a live list. */
    readonly live: boolean;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const guarded = steps.map((step) => ({
    title: step.title,
    async run() {
      signal.throwIfAborted();
      const said = await step.run();
      signal.throwIfAborted();
      return said;
    },
  }));
  if (live) await runLive(guarded, io);
  else await runPlain(guarded, io);
}

async function runPlain(steps: readonly Step[], { stderr }: CommandIo): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const place = `[${String(index + 1).padStart(2)}/${steps.length}]`;
    stderr.write(`${stderr.colour ? paint("dim", place) : place} ${step.title}`);
    try {
      const said = await step.run();
      stderr.write(`${said ? `: ${said}` : ""}\n`);
    } catch (error) {
      stderr.write(": failed\n");
      throw error;
    }
  }
}

async function runLive(steps: readonly Step[], { stderr }: CommandIo): Promise<void> {
  const { Listr } = await import("listr2");
  const list = new Listr(
    steps.map((step) => ({
      title: step.title,
      async task(_: unknown, task: { title: string }) {
        const said = await step.run();
        if (said) task.title = `${step.title}: ${said}`;
      },
    })),
    {
      // Errors are told once, at the end, by who called the command.
      rendererOptions: { showErrorMessage: false, collapseErrors: true },
      registerSignalListeners: false,
      ...(stderr.colour ? {} : { fallbackRenderer: "simple" as const }),
    },
  );
  await list.run();
}
