import type { StoredObject } from "../../catalog/kind.ts";
import type { DesiredState } from "../../cluster/desired-state.ts";
import type { ClusterEvents } from "../../cluster/events.ts";
import type { LeaseKeeper } from "../../cluster/leases/lease-keeper.ts";
import type { OdbLink } from "../../cluster/odb-link.ts";
import type { ServerConfig } from "../../config/schemas.ts";
import { kinds } from "../../connectors/registry.ts";
import { isPlatformError } from "../../errors/platform-error.ts";
import type { LeaseHolder } from "../../odb/lease-types.ts";
import { Scheduler } from "../../server/supervisor/scheduler/scheduler.ts";
import type { WorkerPool } from "../../server/supervisor/worker-pool.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { kindOf, referencesOf } from "../object-changes.ts";

/** What the scheduler is written down as when it changes an object. */
const author = "scheduler";

interface SchedulerParts {
  readonly link: OdbLink;
  readonly events: ClusterEvents;
  readonly leases: LeaseKeeper;
  readonly pool: WorkerPool;
  readonly desired: DesiredState;
  readonly logger: Logger;
}

/** A server's scheduler, on its own workers. */
export function createScheduler(
  { config, holder }: { readonly config: ServerConfig; readonly holder: LeaseHolder },
  parts: SchedulerParts,
): Scheduler {
  const { link, events, leases, pool, desired, logger } = parts;
  const scheduler = new Scheduler({
    link,
    leases,
    holder,
    logger,
    parallel: config.scheduler.parallel,
    canRun: () => pool.upCount > 0,
    refresh: () => desired.check(),
    announce: () => events.announceWork(),
    deactivate: (jobs) => deactivate(jobs, parts),
    run: async ({ id, job, service, input, timeoutMs }, signal) => {
      const channel = { kind: "Job", name: job };
      const call = { service, input, cid: id, timeoutMs, channel };
      return (await pool.pick().invoke(call, signal)).output;
    },
  });
  events.onWork(() => scheduler.wake());
  return scheduler;
}

/** Makes jobs inactive in one change, unless somebody changed one of them meanwhile. */
async function deactivate(
  jobs: readonly StoredObject[],
  { link, events, desired, logger }: SchedulerParts,
): Promise<void> {
  const changes = jobs.map(({ kind, name, spec, revision }) => ({
    ...{ op: "put" as const, kind, name, ifRevision: revision },
    spec: { ...spec, active: false },
    references: referencesOf(kinds, kindOf(kinds, kind), spec),
  }));
  try {
    const { revision } = await link.use((store) => store.change(changes, { by: author }));
    logger.info("Jobs are done and made inactive", { jobs: jobs.map(({ name }) => name) });
    await events.announce(revision);
    await desired.check();
  } catch (error) {
    if (!isPlatformError(error, "ODB_REVISION_CONFLICT")) throw error;
  }
}
