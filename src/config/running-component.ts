import type { Logger } from "../telemetry/logger.ts";

/** A component that runs in this process. */
export interface RunningComponent {
  /** What it listens on: a word for people -> port. */
  readonly ports: Readonly<Record<string, number>>;
  /** Settles (rejects) only when the component cannot go on by itself, such as a child that died for good. */
  readonly failed: Promise<never>;
  /** Resolves when it was asked to end and to be started anew; absent: it never is. */
  readonly restart?: Promise<void>;
  /** Drains and ends it. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Starts the component of a directory in this process and resolves when it really answers.
 * Each component has one: `dragoman start DIR --foreground` calls it.
 */
export type RunComponent = (
  directory: string,
  options: { readonly logger: Logger },
) => Promise<RunningComponent>;
