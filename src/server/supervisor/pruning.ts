import type { OdbLink } from "../../cluster/odb-link.ts";
import type { ServerConfig } from "../../config/schemas.ts";
import { reasonOf } from "../../errors/platform-error.ts";
import type { ClusterStore } from "../../odb/types.ts";
import type { Logger } from "../../telemetry/logger.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

interface PruningTies {
  readonly link: OdbLink;
  readonly logger: Logger;
}

/** Deletes, now and then, all that ended longer ago than is kept; returns how to end that. */
export function startPruning(
  { invocations, scheduler, idempotency }: ServerConfig,
  ties: PruningTies,
): readonly (() => void)[] {
  const { keepDoneHours, keepFailedDays } = invocations;
  const keep = { doneMs: keepDoneHours * hourMs, failedMs: keepFailedDays * dayMs };
  const keepRunsMs = scheduler.keepRunsDays * dayMs;
  const keepKeysMs = idempotency.keepHours * hourMs;
  return [
    pruneRegularly("invocations", (store) => store.pruneInvocations(keep), ties),
    pruneRegularly("runs of jobs", (store) => store.pruneRuns(keepRunsMs), ties),
    pruneRegularly("idempotency keys", (store) => store.pruneKeys(keepKeysMs), ties),
  ];
}

/** Ten minutes, give or take a half, so that servers do not do it all at once. */
const intervalMs = 600_000;
/** So many deleted by one call, and there may be more. */
const manyAt = 500;

/** `what` it is, in the plural, is for the log; `prune` returns how many it deleted. */
function pruneRegularly(
  what: string,
  prune: (store: ClusterStore) => Promise<number>,
  { link, logger }: PruningTies,
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
