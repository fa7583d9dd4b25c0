import { requireName } from "./names.ts";
import type { ClusterContext, OdbContext } from "./context.ts";
import { loadBundle, storeBundle } from "./repositories/bundles.ts";
import { loadRevision } from "./repositories/clusters.ts";
import { deploy, undeploy } from "./repositories/deploy.ts";
import { listCurrentBundles, listDeployments } from "./repositories/deployments.ts";
import { change } from "./repositories/object-changes.ts";
import { getObject, listObjects, objectHistory } from "./repositories/objects.ts";
import { usersOf } from "./repositories/uses.ts";
import { deleteServer, listServers, reportServer, setServerState } from "./repositories/servers.ts";
import { listServices } from "./repositories/services.ts";
import { readConsistently } from "./transactions.ts";
import type { ClusterRow, ClusterSnapshot, ClusterStore } from "./types.ts";

/** The store of one cluster, over its row. */
export function createClusterStore(
  context: OdbContext,
  { id, row }: { readonly id: number; readonly row: ClusterRow },
): ClusterStore {
  const cluster: ClusterContext = { ...context, clusterId: id, clusterName: row.name };
  const requireAuthor = (by: string) => requireName("The author", by);
  return {
    row,
    revision: () => loadRevision(cluster),
    snapshot: () => readConsistently(cluster, loadSnapshot),

    listObjects: (kind) => listObjects(cluster, kind),
    getObject: (kind, name) => getObject(cluster, kind, name),
    objectHistory: (kind, name) => objectHistory(cluster, { kind, name }),
    usersOf: (kind, name) => usersOf(cluster, { kind, name }),
    change: async (changes, options) => {
      requireAuthor(options.by);
      return await change(cluster, changes, options);
    },

    storeBundle: async (bundle, by) => {
      requireAuthor(by);
      await storeBundle(cluster, bundle, by);
    },
    getBundle: (hash) => loadBundle(cluster, hash),
    deploy: async (files, by) => {
      requireAuthor(by);
      return await deploy(cluster, files, by);
    },
    undeploy: async (file, by) => {
      requireAuthor(by);
      return await undeploy(cluster, file, by);
    },
    listDeployments: () => listDeployments(cluster),
    listServices: () => listServices(cluster),

    reportServer: async (report) => {
      requireName("The server name", report.name);
      await reportServer(cluster, report);
    },
    setServerState: (name, state) => setServerState(cluster, name, state),
    listServers: (options) => listServers(cluster, options?.lostAfterMs ?? 10_000),
    deleteServer: (name) => deleteServer(cluster, name),
  };
}

async function loadSnapshot(cluster: ClusterContext): Promise<ClusterSnapshot> {
  return {
    revision: await loadRevision(cluster),
    objects: await listObjects(cluster),
    bundles: await listCurrentBundles(cluster),
  };
}
