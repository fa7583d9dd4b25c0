import { z } from "zod";
import { reasonOf } from "../../errors/platform-error.ts";
import type { Route } from "../../mtls/json-api.ts";
import type { ServerRow } from "../../odb/types.ts";
import { contentHash, hashObjects } from "../../server/object-hashes.ts";
import type { DriftReport, ServerInventory } from "../api.ts";
import type { AdminContext } from "../context.ts";
import { type AskedServer, driftOfServer, newestVersion } from "../drift.ts";
import { takeInventory } from "../inventory.ts";
import { parseBody } from "../request-body.ts";

const inventoryRequest = z.strictObject({ contentHash: z.string() });
/** How long a server may take to say what it runs. */
const timeoutMs = 10_000;

/** What each server really runs, held against the ODB. */
export function driftRoutes(context: AdminContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/v1/drift",
      roles: ["operator", "web-admin"],
      handle: (): Promise<DriftReport> => findDrift(context),
    },
    {
      method: "POST",
      path: "/v1/inventory",
      roles: ["operator", "web-admin", "server"],
      handle: (request): Promise<ServerInventory> =>
        takeInventory(context, parseBody(inventoryRequest, request)),
    },
  ];
}

async function findDrift(context: AdminContext): Promise<DriftReport> {
  const { snapshot, rows } = await context.link.use(async (store) => ({
    snapshot: await store.snapshot(),
    rows: await store.listServers(),
  }));
  const objects = await hashObjects(snapshot.objects);
  const question = { contentHash: contentHash(objects) };
  const expected = rows.filter(({ state }) => state !== "down");
  const version = newestVersion(expected.map((row) => row.version));
  const wanted = { ...snapshot, objects, keyId: context.clusterKey.id, version };
  const asked = await Promise.all(expected.map((row) => ask(context, row, question)));
  return {
    cluster: context.cluster,
    revision: snapshot.revision,
    objects: objects.length,
    deployments: snapshot.bundles.length,
    servers: rows.map((row) => {
      const inventory = asked.find((one) => one.row === row)?.inventory;
      const { name, state } = row;
      if (inventory === undefined || "reason" in inventory) return { name, state, workers: 0 };
      return { name, state: inventory.state, workers: inventory.workers.length };
    }),
    differences: asked.flatMap((one) => driftOfServer(wanted, one)),
  };
}

async function ask(
  context: AdminContext,
  row: ServerRow,
  question: { readonly contentHash: string },
): Promise<AskedServer> {
  try {
    const inventory = row.name === context.supervisor.name
      ? await takeInventory(context, question)
      : await context.peer(row.adminUrl)
        .post<ServerInventory>("/v1/inventory", question, { timeoutMs });
    return { row, inventory };
  } catch (error) {
    return { row, inventory: { reason: reasonOf(error) } };
  }
}
