import { isPlatformError, reasonOf } from "../../errors/platform-error.ts";
import { sha256Hex } from "../../lib/canonical-json.ts";
import type { BundleKey, FileDeployment, ServerRow } from "../../odb/types.ts";
import type { DeployedFile, DeployFile, DeployResult, ServerOutcome } from "../api.ts";
import type { AdminContext } from "../context.ts";
import { rollOut, serves } from "./rollout.ts";

/** How long another server may take to try the bundles. */
const trialMs = 30_000;

/**
 * Brings bundles to the cluster: stores them, has every live server load them in a scratch
 * process, and only when all of them could, makes them current in one transaction. A rejected
 * deployment changes nothing; the result says what each server answered.
 */
export async function deploy(
  context: AdminContext,
  files: readonly DeployFile[],
  by: string,
): Promise<DeployResult> {
  const bundles = files.map((file) => ({ ...file, file: file.name, hash: sha256Hex(file.code) }));
  const unchanged = await currentResult(context, bundles);
  if (unchanged !== undefined) return unchanged;
  for (const { file, hash, code, sourceMap } of bundles) {
    await context.link.use((store) => store.storeBundle({ file, hash, code, sourceMap }, by));
  }
  return await makeCurrent(context, bundles, by);
}

/** Points files at bundles that are stored: the second half of `deploy`, with the same promises. */
export async function makeCurrent(
  context: AdminContext,
  bundles: readonly BundleKey[],
  by: string,
): Promise<DeployResult> {
  const { link } = context;
  const trial = await tryEverywhere(context, bundles);
  if (trial.deployments === undefined) {
    return {
      outcome: "rejected",
      revision: context.desired.clusterRevision,
      files: bundles.map(({ file, hash }) => ({ name: file, hash, services: [] })),
      servers: trial.servers,
    };
  }
  const deployments = trial.deployments;
  const { revision } = await link.use((store) => store.deploy(deployments, by));
  const subjects = deployments.map(({ file }) => ({ kind: "Deployment", name: file }));
  const servers = await rollOut(context, revision, subjects);
  await pruneOld(context, bundles);
  return { outcome: "deployed", revision, files: deployments.map(deployedFile), servers };
}

/** Loads stored bundles in scratch processes on this server; throws DEPLOY_LOAD and its like. */
export async function tryHere(
  { bundles, trials, link }: AdminContext,
  files: readonly BundleKey[],
): Promise<readonly FileDeployment[]> {
  const deployments: FileDeployment[] = [];
  // One after the other: each is a process, and the machine serves requests meanwhile.
  for (const { file, hash } of files) {
    const fetch = () => link.use((store) => store.getBundle(hash));
    const services = await trials.try(await bundles.ensure({ file, hash }, fetch));
    deployments.push({ file, hash, services });
  }
  return deployments;
}

async function pruneOld(
  { link, keepBundles, logger }: AdminContext,
  bundles: readonly BundleKey[],
): Promise<void> {
  for (const { file } of bundles) {
    try {
      await link.use((store) => store.pruneBundles(file, keepBundles));
    } catch (error) {
      // What was deployed is live; the next deployment of the file prunes again.
      logger.warn("Old bundles could not be deleted", { file, reason: reasonOf(error) });
    }
  }
}

interface Trial {
  /** Absent when any server could not load the bundles. */
  readonly deployments: readonly FileDeployment[] | undefined;
  readonly servers: readonly ServerOutcome[];
}

async function tryEverywhere(
  context: AdminContext,
  files: readonly BundleKey[],
): Promise<Trial> {
  const rows = (await context.link.use((store) => store.listServers())).filter(serves);
  const others = rows.filter(({ name }) => name !== context.supervisor.name);
  let deployments: readonly FileDeployment[] | undefined;
  const own = outcomeOf(context.supervisor.name, async () => {
    deployments = await tryHere(context, files);
  });
  const servers = await Promise.all([
    own,
    ...others.map((row) => outcomeOf(row.name, () => tryAt(context, row, files))),
  ]);
  const failed = servers.some(({ outcome }) => outcome === "failed");
  if (!failed) return { deployments, servers };
  // A server that could have run it kept what it had, as all did.
  const kept = servers.map((server) =>
    server.outcome === "live" ? { server: server.server, outcome: "not offered" as const } : server
  );
  return { deployments: undefined, servers: kept };
}

async function tryAt(
  context: AdminContext,
  row: ServerRow,
  files: readonly BundleKey[],
): Promise<void> {
  const body = { files: files.map(({ file, hash }) => ({ file, hash })) };
  await context.peer(row.adminUrl).post("/v1/deployments/check", body, { timeoutMs: trialMs });
}

/** `live`: it could load them. A server that cannot be asked does not stop a deployment. */
async function outcomeOf(server: string, work: () => Promise<void>): Promise<ServerOutcome> {
  try {
    await work();
    return { server, outcome: "live" };
  } catch (error) {
    const isOurs = isPlatformError(error);
    if (isOurs && error.code.startsWith("DEPLOY_")) {
      return { server, outcome: "failed", reason: error.message };
    }
    if (isOurs && error.kind === "peer") {
      return { server, outcome: "unreachable", reason: reasonOf(error) };
    }
    throw error;
  }
}

/** The answer when every file already is at that hash: nothing to try, nothing to raise. */
export async function currentResult(
  { link }: AdminContext,
  bundles: readonly BundleKey[],
): Promise<DeployResult | undefined> {
  return await link.use(async (store) => {
    const current = (await store.listDeployments()).filter((row) => row.current);
    const found = bundles.map(({ file, hash }) =>
      current.find((row) => row.file === file && row.hash === hash)
    );
    if (found.includes(undefined)) return undefined;
    const rows = (await store.listServers()).filter(serves);
    return {
      outcome: "unchanged",
      revision: await store.revision(),
      files: found.flatMap((row) =>
        row === undefined ? [] : [{ name: row.file, hash: row.hash, services: row.services }]
      ),
      servers: rows.map(({ name, revision }) => ({ server: name, outcome: "live", revision })),
    };
  });
}

function deployedFile({ file, hash, services }: FileDeployment): DeployedFile {
  return { name: file, hash, services: services.map(({ name }) => name) };
}
