import type { OdbLink } from "../../cluster/odb-link.ts";
import { reasonOf } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";

export interface InvocationPruningOptions {
  readonly link: OdbLink;
  /** How long those that were done, and those that failed, are kept. */
  readonly keep: { readonly doneMs: number; readonly failedMs: number };
  readonly logger: Logger;
  /** Default ten minutes, give or take a half, so that servers do not do it all at once. */
  readonly intervalMs?: number;
}

/** Deletes, now and then, invocations that ended long ago; returns how to end that. */
export function startInvocationPruning(
  { link, keep, logger, intervalMs = 600_000 }: InvocationPruningOptions,
): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let isStopped = false;
  const prune = async () => {
    let count = 0;
    try {
      count = await link.use((store) => store.pruneInvocations(keep));
      if (count > 0) logger.debug("Old invocations deleted", { count });
    } catch (error) {
      logger.debug("Old invocations could not be deleted", { reason: reasonOf(error) });
    }
    // There may be more than one call deletes.
    if (!isStopped) schedule(count >= 500 ? 1_000 : intervalMs * (0.5 + Math.random()));
  };
  const schedule = (ms: number) => {
    timer = setTimeout(() => void prune(), ms);
  };
  schedule(intervalMs * (0.5 + Math.random()));
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
