import type { ClusterEvents } from "../../cluster/events.ts";
import type { OdbLink } from "../../cluster/odb-link.ts";
import type { ServerConfig } from "../../config/schemas.ts";
import { InvocationRunner } from "../../server/supervisor/invocation-runner.ts";
import type { WorkerPool } from "../../server/supervisor/worker-pool.ts";
import type { Logger } from "../../telemetry/logger.ts";

/** The runner of durable invocations on a server's own workers; `pool` is asked for when needed. */
export function createInvocationRunner(
  { name, invocations }: ServerConfig,
  { link, events, logger, pool }: {
    readonly link: OdbLink;
    readonly events: ClusterEvents;
    readonly logger: Logger;
    readonly pool: () => WorkerPool;
  },
): InvocationRunner {
  const runner = new InvocationRunner({
    link,
    server: name,
    parallel: invocations.parallel,
    logger,
    canRun: () => pool().upCount > 0,
    announce: () => events.announceWork(),
    run: async ({ id, service, input, cid }) => {
      const channel = { kind: "Invocation", name: id };
      const { timeoutMs } = invocations;
      const call = { service, input, cid, timeoutMs, channel };
      return (await pool().pick().invoke(call)).output;
    },
  });
  events.onWork(() => runner.wake());
  return runner;
}
