import { z } from "zod";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { Route } from "../../mtls/json-api.ts";
import type { ServerRow } from "../../odb/types.ts";
import type { WorkerProcess } from "../../server/supervisor/worker-process.ts";
import type { LiveObject, LiveServer, LiveWorker, PingAnswer } from "../api.ts";
import { type AdminContext, authorOf } from "../context.ts";
import { kindOf } from "../object-changes.ts";
import { parseBody } from "../request-body.ts";
import { serves } from "../deploy/rollout.ts";

/** How long a worker may take to say what it knows. */
const workerMs = 2_000;
/** How long another server may take to ask its workers. */
const serverMs = 4_000;

const pingRequest = z.strictObject({
  timeoutMs: z.int().min(1).max(60_000).default(10_000),
});

/** Whether outgoing connections work: trying one, and what every worker knows of it. */
export function connectionRoutes(context: AdminContext): readonly Route[] {
  const { kinds, supervisor } = context;
  return [
    {
      method: "POST",
      path: "/v1/objects/:kind/:name/ping",
      roles: ["operator", "web-admin"],
      async handle(request): Promise<PingAnswer> {
        const { kind, canPing } = kindOf(kinds, request.params["kind"]!);
        const name = request.params["name"]!;
        if (canPing !== true) throw new PlatformError("ADMIN_CANNOT_PING", { kind });
        const { timeoutMs } = parseBody(pingRequest, { ...request, body: request.body ?? {} });
        const by = authorOf(request);
        const question = { kind, name, timeoutMs };
        try {
          const answer = await supervisor.worker().ask("ping", question);
          context.logger.info("Connection tested", { kind, name, by, detail: answer.detail });
          return { kind, name, server: supervisor.name, ...answer };
        } catch (error) {
          const reason = reasonOf(error);
          context.logger.warn("Connection tested, and it failed", { kind, name, by, reason });
          throw error;
        }
      },
    },
    {
      method: "GET",
      path: "/v1/objects/:kind/:name/status",
      roles: ["operator", "web-admin"],
      async handle({ params }): Promise<LiveObject> {
        const { kind, group } = kindOf(kinds, params["kind"]!);
        const name = params["name"]!;
        const servers = group === "outgoing" ? await askServers(context, kind, name) : [];
        return { kind, name, servers };
      },
    },
    {
      method: "GET",
      path: "/v1/local/objects/:kind/:name/status",
      roles: ["server"],
      handle: ({ params }): Promise<LiveServer> =>
        askWorkers(context, params["kind"]!, params["name"]!),
    },
  ];
}

/** Every server that should be there; one that does not answer is listed with the reason. */
async function askServers(
  context: AdminContext,
  kind: string,
  name: string,
): Promise<readonly LiveServer[]> {
  const rows = await otherServers(context);
  const path = `/v1/local/objects/${encodeURIComponent(kind)}/${encodeURIComponent(name)}/status`;
  const others = rows.map(async (row): Promise<LiveServer> => {
    const missing = (reason: string) => ({ server: row.name, workers: [], reason });
    if (!serves(row)) return missing(`It is ${row.state}, not heard of since ${row.lastSeenAt}`);
    try {
      return await context.peer(row.adminUrl).get<LiveServer>(path, { timeoutMs: serverMs });
    } catch (error) {
      return missing(reasonOf(error));
    }
  });
  const servers = await Promise.all([askWorkers(context, kind, name), ...others]);
  return servers.sort((one, other) => one.server.localeCompare(other.server));
}

/** The servers beside this one, but for those that were stopped. */
async function otherServers({ link, supervisor }: AdminContext): Promise<readonly ServerRow[]> {
  // Without the ODB nobody knows who the others are; this server's own answer still helps.
  const rows = await link.use((store) => store.listServers()).catch(() => []);
  return rows.filter(({ name, state }) => name !== supervisor.name && state !== "down");
}

async function askWorkers(
  { supervisor }: AdminContext,
  kind: string,
  name: string,
): Promise<LiveServer> {
  const workers = supervisor.workers().map((worker) => askWorker(worker, kind, name));
  return { server: supervisor.name, workers: await Promise.all(workers) };
}

async function askWorker(worker: WorkerProcess, kind: string, name: string): Promise<LiveWorker> {
  const { id, pid } = worker;
  try {
    const silent = () => new PlatformError("SERVER_WORKER_LOST");
    const status = await withTimeout(worker.ask("status", { kind, name }), workerMs, silent);
    if (status !== null) return { id, pid, ...status };
    return { id, pid, state: "failed", figures: {}, lastError: "The object is not alive here" };
  } catch (error) {
    return { id, pid, state: "failed", figures: {}, lastError: reasonOf(error) };
  }
}
