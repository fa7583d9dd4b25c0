import type { OdbLink } from "../../cluster/odb-link.ts";
import { reasonOf } from "../../errors/platform-error.ts";
import type { ClusterStore } from "../../odb/types.ts";
import type { Logger } from "../../telemetry/logger.ts";

export interface PruningOptions {
  readonly link: OdbLink;
  /** For the log, in the plural: `invocations`. */
  readonly what: string;
  /** Deletes some of what ended long ago; returns how many. */
  readonly prune: (store: ClusterStore) => Promise<number>;
  readonly logger: Logger;
  /** Default ten minutes, give or take a half, so that servers do not do it all at once. */
  readonly intervalMs?: number;
}

/** So many deleted by one call, and there may be more. */
const manyAt = 500;

/** Deletes, now and then, what ended long ago; returns how to end that. */
export function startPruning(
  { link, what, prune, logger, intervalMs = 600_000 }: PruningOptions,
): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let isStopped = false;
  const round = async () => {
    let count = 0;
    try {
      count = await link.use(prune);
      if (count > 0) logger.debug(`Old ${what} deleted`, { count });
    } catch (error) {
      logger.debug(`Old ${what} could not be deleted`, { reason: reasonOf(error) });
    }
    if (!isStopped) schedule(count >= manyAt ? 1_000 : intervalMs * (0.5 + Math.random()));
  };
  const schedule = (ms: number) => {
    timer = setTimeout(() => void round(), ms);
  };
  schedule(intervalMs * (0.5 + Math.random()));
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
