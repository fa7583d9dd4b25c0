import { requireName } from "./names.ts";
import type { ClusterContext, OdbContext } from "./context.ts";
import { loadBundle, storeBundle } from "./repositories/bundles.ts";
import { loadRevision } from "./repositories/clusters.ts";
import { pruneBundles } from "./repositories/bundle-pruning.ts";
import { deploy, undeploy } from "./repositories/deploy.ts";
import { listCurrentBundles, listDeployments } from "./repositories/deployments.ts";
import {
  claimInvocations,
  invocationDueInMs,
  releaseInvocation,
  renewInvocations,
  settleInvocation,
} from "./repositories/invocation-claims.ts";
import {
  cancelInvocation,
  deleteInvocation,
  enqueueInvocation,
  getInvocation,
  listInvocations,
  pruneInvocations,
  retryInvocation,
} from "./repositories/invocations.ts";
import {
  claimKey,
  loseKeys,
  pruneKeys,
  releaseKey,
  settleKey,
} from "./repositories/idempotency.ts";
import { readTime } from "./repositories/clock.ts";
import { claimRuns, runDueInMs } from "./repositories/jobs/claims.ts";
import { listClaims } from "./repositories/jobs/own-claims.ts";
import { writePlan } from "./repositories/jobs/plans.ts";
import { pauseJob, resumeJob } from "./repositories/jobs/pausing.ts";
import { listJobRows } from "./repositories/jobs/progress.ts";
import {
  cancelRun,
  createRun,
  getRun,
  lastRuns,
  listRuns,
  openJobs,
  pruneRuns,
} from "./repositories/jobs/runs.ts";
import { releaseRuns, renewRuns, settleRuns } from "./repositories/jobs/settlement.ts";
import { listLeaseTerms } from "./repositories/lease-terms.ts";
import { acquireLease, listLeases, releaseLease, renewLeases } from "./repositories/leases.ts";
import { acquireLock, releaseLock, renewLock } from "./repositories/locks.ts";
import { change } from "./repositories/object-changes.ts";
import { getObject, listObjects, objectHistory } from "./repositories/objects.ts";
import { usersOf } from "./repositories/uses.ts";
import { deleteServer, listServers, reportServer, setServerState } from "./repositories/servers.ts";
import { listServices } from "./repositories/services.ts";
import { readConsistently } from "./transactions.ts";
import type { InvocationStore, LockStore } from "./durable-types.ts";
import type { IdempotencyStore } from "./idempotency-types.ts";
import type { JobStore } from "./job-types.ts";
import type { LeaseStore } from "./lease-types.ts";
import type { ClusterRow, ClusterSnapshot, ClusterStore } from "./types.ts";

/** A server that was silent for so long by the database's clock is taken for lost. */
const defaultLostAfterMs = 10_000;

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
    listDeployments: (file) => listDeployments(cluster, file),
    pruneBundles: (file, keep) => pruneBundles(cluster, file, keep),
    listServices: () => listServices(cluster),

    reportServer: async (report, { replaces, lostAfterMs = defaultLostAfterMs } = {}) => {
      requireName("The server name", report.name);
      return await reportServer(cluster, report, { replaces, lostAfterMs });
    },
    setServerState: (server, state) => setServerState(cluster, server, state),
    listServers: ({ lostAfterMs = defaultLostAfterMs } = {}) => listServers(cluster, lostAfterMs),
    deleteServer: (name) => deleteServer(cluster, name),

    ...invocationStore(cluster),
    ...lockStore(cluster),
    ...leaseStore(cluster),
    ...jobStore(cluster),
    ...idempotencyStore(cluster),
  };
}

async function loadSnapshot(cluster: ClusterContext): Promise<ClusterSnapshot> {
  return {
    revision: await loadRevision(cluster),
    objects: await listObjects(cluster),
    bundles: await listCurrentBundles(cluster),
  };
}

function invocationStore(cluster: ClusterContext): InvocationStore {
  return {
    enqueueInvocation: (request) => enqueueInvocation(cluster, request),
    invocationDueInMs: () => invocationDueInMs(cluster),
    claimInvocations: (options) => claimInvocations(cluster, options),
    renewInvocations: (claims, claimMs) => renewInvocations(cluster, claims, claimMs),
    settleInvocation: (claim, outcome) => settleInvocation(cluster, claim, outcome),
    releaseInvocation: (claim, inMs) => releaseInvocation(cluster, claim, inMs),
    listInvocations: (query) => listInvocations(cluster, query),
    getInvocation: (id) => getInvocation(cluster, id),
    retryInvocation: (id) => retryInvocation(cluster, id),
    cancelInvocation: (id, options) => cancelInvocation(cluster, id, options),
    deleteInvocation: (id) => deleteInvocation(cluster, id),
    pruneInvocations: (keep) => pruneInvocations(cluster, keep),
  };
}

function lockStore(cluster: ClusterContext): LockStore {
  return {
    acquireLock: (request) => acquireLock(cluster, request),
    renewLock: (request) => renewLock(cluster, request),
    releaseLock: (request) => releaseLock(cluster, request),
  };
}

function leaseStore(cluster: ClusterContext): LeaseStore {
  return {
    acquireLease: (request) => acquireLease(cluster, request),
    renewLeases: (leases, options) => renewLeases(cluster, leases, options),
    releaseLease: (proof, end) => releaseLease(cluster, proof, end),
    listLeases: () => listLeases(cluster),
    listLeaseTerms: (query) => listLeaseTerms(cluster, query ?? {}),
  };
}

function jobStore(cluster: ClusterContext): JobStore {
  return {
    databaseTime: () => readTime(cluster),
    listJobRows: () => listJobRows(cluster),
    writePlan: (proof, plan) => writePlan(cluster, proof, plan),
    createRun: (run) => createRun(cluster, run),
    runDueInMs: () => runDueInMs(cluster),
    claimRuns: (options) => claimRuns(cluster, options),
    listClaims: (holder) => listClaims(cluster, holder),
    renewRuns: (claims, claimMs) => renewRuns(cluster, claims, claimMs),
    releaseRuns: (claims) => releaseRuns(cluster, claims),
    settleRuns: (outcomes) => settleRuns(cluster, outcomes),
    pauseJob: (job, by) => pauseJob(cluster, job, by),
    resumeJob: (job) => resumeJob(cluster, job),
    cancelRun: (id, by) => cancelRun(cluster, id, by),
    listRuns: (query) => listRuns(cluster, query),
    lastRuns: (jobs) => lastRuns(cluster, jobs),
    openJobs: (jobs) => openJobs(cluster, jobs),
    getRun: (id) => getRun(cluster, id),
    pruneRuns: (keepMs) => pruneRuns(cluster, keepMs),
  };
}

function idempotencyStore(cluster: ClusterContext): IdempotencyStore {
  return {
    claimKey: (claim, holder, options) => claimKey(cluster, { claim, holder, ...options }),
    settleKey: (proof, answer) => settleKey(cluster, proof, answer),
    releaseKey: (proof) => releaseKey(cluster, proof),
    loseKeys: (proofs) => loseKeys(cluster, proofs),
    pruneKeys: (keepMs) => pruneKeys(cluster, keepMs),
  };
}
