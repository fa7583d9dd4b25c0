import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { delay, poll } from "../../lib/wait.ts";
import { sha256Hex } from "../../lib/canonical-json.ts";
import { bundleFile, type DeployFile, stopBundler } from "../../server/deploy/bundle.ts";
import { isSourceName } from "../../server/deploy/source-name.ts";
import type { DeployResult } from "../api.ts";
import type { AdminContext } from "../context.ts";
import { deploy } from "./deploy.ts";
import { failureLines, isPassing } from "./failure.ts";

/** One server at a time deploys its directories; the next one finds the work done. */
const lock = { name: "dragoman/services", ttlMs: 120_000 } as const;
const lockWaitMs = 120_000;
const retryMs = 5_000;

/**
 * Deploys the source files of directories, in the order of directories and names, unless they are
 * current already. A file that cannot be deployed is logged and does not stop the others. While
 * the ODB is away it tries again every 5 s, until `signal` ends that.
 */
export async function deployDirectories(
  context: AdminContext,
  directories: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await withLock(context, signal, () => deployAll(context, directories));
    } catch (error) {
      if (signal.aborted) return;
      const reason = reasonOf(error);
      if (!isPassing(error)) {
        return context.logger.error("The services directories were not deployed", { error });
      }
      context.logger.warn("The services directories wait to be deployed", { reason });
    }
    await delay(retryMs, { signal }).catch(() => {}); // the loop looks at the signal
  }
}

async function deployAll(context: AdminContext, directories: readonly string[]): Promise<void> {
  try {
    const bundles: DeployFile[] = [];
    for (const directory of directories) {
      for (const path of await sourceFiles(context, directory)) {
        const bundle = await bundleFile(path).catch((error: Error) => {
          reportFailure(context, path, error);
        });
        if (bundle !== undefined) bundles.push(bundle);
      }
    }
    const changed = await changedOnes(context, bundles);
    if (changed.length === 0) return;
    // All at once is quicker, and a service may move from one file to another.
    if (changed.length > 1 && await tryDeploy(context, changed) === undefined) return;
    for (const bundle of changed) {
      const failure = await tryDeploy(context, [bundle]);
      if (failure !== undefined) reportFailure(context, bundle.name, failure);
    }
  } finally {
    await stopBundler();
  }
}

/** Undefined when it is deployed. Throws what will pass. */
async function tryDeploy(
  context: AdminContext,
  files: readonly DeployFile[],
): Promise<DeployResult | Error | undefined> {
  try {
    const result = await deploy(context, files, `server/${context.supervisor.name}`);
    if (result.outcome === "rejected") return result;
    context.logger.info("Deployed from a services directory", {
      files: files.map(({ name }) => name),
      revision: result.revision,
    });
    return undefined;
  } catch (error) {
    if (isPassing(error) || !(error instanceof Error)) throw error;
    return error;
  }
}

async function sourceFiles(
  { logger }: AdminContext,
  directory: string,
): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    const names = entries.filter((entry) => entry.isFile() && isSourceName(entry.name));
    return names.map(({ name }) => name).sort().map((name) => join(directory, name));
  } catch (error) {
    logger.error("A services directory cannot be read", { directory, reason: reasonOf(error) });
    return [];
  }
}

async function changedOnes(
  { link }: AdminContext,
  bundles: readonly DeployFile[],
): Promise<readonly DeployFile[]> {
  const rows = await link.use((store) => store.listDeployments());
  const current = new Map(rows.filter((row) => row.current).map(({ file, hash }) => [file, hash]));
  // Of two files with one name, the directory that is named last has it.
  const byName = new Map(bundles.map((bundle) => [bundle.name, bundle]));
  return [...byName.values()].filter(({ name, code }) => current.get(name) !== sha256Hex(code));
}

function reportFailure(
  { logger }: AdminContext,
  file: string,
  failure: DeployResult | Error,
): void {
  const [reason, ...details] = failureLines(failure);
  logger.error("A file of a services directory was not deployed", { file, reason, details });
}

async function withLock(
  { link, supervisor }: AdminContext,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const request = { ...lock, owner: `${supervisor.name}/${randomUUID()}` };
  const token = await poll(() => link.use((store) => store.acquireLock(request)), {
    timeoutMs: lockWaitMs,
    intervalMs: 250,
    signal,
  });
  if (token === undefined) {
    throw new PlatformError("DEPLOY_BUSY", { seconds: lockWaitMs / 1_000 });
  }
  const renewal = setInterval(() => {
    // Two servers that deploy the same files at once do no harm: the second changes nothing.
    link.use((store) => store.renewLock(request)).catch(() => {});
  }, lock.ttlMs / 4);
  try {
    await work();
  } finally {
    clearInterval(renewal);
    await link.use((store) => store.releaseLock(request)).catch(() => {}); // it runs out
  }
}
