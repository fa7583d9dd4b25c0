import type { ServerStatus } from "../../cluster/status.ts";
import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import type { DeploymentRow, ObjectKey, ServerRow } from "../../odb/types.ts";
import type {
  DeploymentDetail,
  DeployResult,
  FileOnServer,
  RollbackRequest,
  UndeployResult,
} from "../api.ts";
import type { AdminContext } from "../context.ts";
import { currentResult, makeCurrent } from "./deploy.ts";
import { rollOut } from "./rollout.ts";

/** How long a server may take to say what its workers run. */
const statusMs = 2_000;

/** One file's history, and what every worker of every server runs of it. Throws ODB_NO_OBJECT. */
export async function showDeployment(
  context: AdminContext,
  file: string,
): Promise<DeploymentDetail> {
  const history = await historyOf(context, file);
  const current = history.find((row) => row.current);
  const rows = (await context.link.use((store) => store.listServers()))
    .filter(({ state }) => state !== "down");
  const servers = await Promise.all(
    rows.map((row) => fileOnServer(context, row, { file, hash: current?.hash ?? null })),
  );
  return { file, history, servers };
}

/**
 * Points a file at an earlier version, as a deployment does: tried on every server first. Default:
 * the last version that differs from the current one. Throws ODB_NO_OBJECT, DEPLOY_NO_EARLIER,
 * DEPLOY_NO_VERSION, DEPLOY_HASH_AMBIGUOUS and DEPLOY_PRUNED.
 */
export async function rollBack(
  context: AdminContext,
  { file, to, by }: RollbackRequest & { readonly file: string; readonly by: string },
): Promise<DeployResult> {
  const history = await historyOf(context, file);
  const { hash, isKept } = to === undefined
    ? earlierVersion(file, history)
    : versionOf(file, history, to);
  if (!isKept) throw new PlatformError("DEPLOY_PRUNED", { file, hash: hash.slice(0, 12) });
  const bundles = [{ file, hash }];
  const unchanged = await currentResult(context, bundles);
  if (unchanged !== undefined) return unchanged;
  return await makeCurrent(context, bundles, by);
}

/** Takes a file and its services away. Throws ODB_NO_OBJECT, and DEPLOY_IN_USE with every user. */
export async function undeploy(
  context: AdminContext,
  file: string,
  by: string,
): Promise<UndeployResult> {
  const { revision } = await context.link.use((store) => store.undeploy(file, by))
    .catch((error: unknown) => {
      throw isPlatformError(error, "ODB_IN_USE") ? inUse(file, error) : error;
    });
  const servers = await rollOut(context, revision, [{ kind: "Deployment", name: file }]);
  return { file, revision, servers };
}

async function historyOf(
  { link }: AdminContext,
  file: string,
): Promise<readonly DeploymentRow[]> {
  const history = await link.use((store) => store.listDeployments(file));
  if (history.length > 0) return history;
  const files = (await link.use((store) => store.listDeployments())).map((row) => row.file);
  const nearest = didYouMean(file, files);
  throw new PlatformError("ODB_NO_OBJECT", { kind: "Deployment", name: file, nearest }, {
    advice: "Correct the file's name; `dragoman deployment list` shows those that were deployed",
  });
}

function earlierVersion(file: string, history: readonly DeploymentRow[]): DeploymentRow {
  const current = history.find((row) => row.current);
  const found = history.find(({ hash }) => hash !== current?.hash);
  if (found === undefined) throw new PlatformError("DEPLOY_NO_EARLIER", { file });
  return found;
}

function versionOf(
  file: string,
  history: readonly DeploymentRow[],
  prefix: string,
): DeploymentRow {
  const matching = history.filter(({ hash }) => hash.startsWith(prefix));
  const [found] = matching;
  if (found === undefined) throw new PlatformError("DEPLOY_NO_VERSION", { file, hash: prefix });
  if (new Set(matching.map(({ hash }) => hash)).size > 1) {
    throw new PlatformError("DEPLOY_HASH_AMBIGUOUS", { file, hash: prefix });
  }
  return found;
}

async function fileOnServer(
  context: AdminContext,
  row: ServerRow,
  { file, hash }: { readonly file: string; readonly hash: string | null },
): Promise<FileOnServer> {
  const server = row.name;
  let status: ServerStatus;
  try {
    status = server === context.supervisor.name
      ? context.supervisor.status()
      : await context.peer(row.adminUrl).get<ServerStatus>("/v1/status", { timeoutMs: statusMs });
  } catch (error) {
    return { server, outcome: "unreachable", reason: reasonOf(error), workers: [] };
  }
  const workers = status.workers.map(({ id, pid, state, bundles }) => ({
    id,
    pid,
    state,
    hash: bundles.find((bundle) => bundle.file === file)?.hash ?? null,
  }));
  const failure = status.failures.find(({ kind, name }) => kind === "Deployment" && name === file);
  if (failure !== undefined) return { server, outcome: "failed", reason: failure.error, workers };
  const serving = workers.filter(({ state }) => state === "up");
  const isLive = serving.length > 0 && serving.every((worker) => worker.hash === hash);
  return { server, outcome: isLive ? "live" : "behind", workers };
}

function inUse(file: string, error: PlatformError): PlatformError {
  // Written by the ODB's own check of uses.
  const { uses } = error.details as {
    readonly uses: readonly { readonly user: ObjectKey; readonly used: ObjectKey }[];
  };
  const users = [...new Set(uses.map(({ user }) => `${user.kind} "${user.name}"`))];
  const details = uses.map(({ user, used }) =>
    `${user.kind} "${user.name}" uses the service "${used.name}"`
  );
  const shown = users.slice(0, 5).join(", ") +
    (users.length > 5 ? ` and ${users.length - 5} more` : "");
  return new PlatformError("DEPLOY_IN_USE", { file, users: shown }, { cause: error, details });
}
