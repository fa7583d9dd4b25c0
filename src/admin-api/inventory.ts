import type { InventoryQuestion } from "../server/worker/protocol.ts";
import { reasonOf } from "../errors/platform-error.ts";
import type { ServerInventory } from "./api.ts";
import type { AdminContext } from "./context.ts";

/** What this server really runs, as its workers say themselves. */
export async function takeInventory(
  { supervisor, certificates, clusterKey }: AdminContext,
  question: InventoryQuestion,
): Promise<ServerInventory> {
  const status = supervisor.status();
  const { name, incarnation, state, clusterRevision, odb } = status;
  const onDisk = new Map(
    (await certificates().catch(() => [])).map(({ use, fingerprint }) => [use, fingerprint]),
  );
  const serving = new Map(supervisor.workers().map((worker) => [worker.id, worker]));
  const workers = await Promise.all(status.workers.map(async ({ id, pid }) => {
    const worker = serving.get(id);
    if (worker === undefined) return { id, pid, reason: "does not serve now" };
    return await worker.ask("inventory", question).then(
      (answer) => ({ id, pid, ...answer }),
      (error) => ({ id, pid, reason: `does not answer: ${reasonOf(error)}` }),
    );
  }));
  return {
    server: name,
    incarnation,
    state,
    clusterRevision,
    odb,
    keyId: clusterKey.id,
    certificates: status.certificates.map((one) => ({
      ...one,
      onDisk: onDisk.get(one.use) ?? null,
    })),
    workers,
  };
}
