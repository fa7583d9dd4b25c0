import type { ApplyResult, ServerOutcome } from "../../admin-api/api.ts";
import { isPlatformError } from "../../errors/platform-error.ts";
import { delay } from "../../lib/wait.ts";
import type { LocalServer } from "../cluster.ts";
import { type Installation, runOf, type UpgradePath } from "../installation.ts";
import { formatMs, holds, none, noted, type PromiseRow } from "../promises.ts";
import type { Place, Scenario, Stage } from "../stage.ts";
import { applyObjects, channelObject } from "../workload.ts";

/** While versions run side by side, one server after another makes a change so often. */
const changeEveryMs = 1_000;

export const upgrade: Scenario = {
  name: "upgrade",
  summary: "Servers go to another version one by one, both run side by side, and back again",
  jobs: 10,
  unfit: unfitForUpgrade,
  async rehearse(stage) {
    const { upgrade } = stage.place;
    const { from, to } = upgrade!; // or it were unfit
    const schema = await migrate(stage, to);
    const changes = new ChangesMade(stage);
    const up = await changeOver(stage, changes, { from, to });
    const back = isKept(up) ? await changeOver(stage, changes, { from: to, to: from }) : [];
    return [schema, ...up, ...back, ...changes.rows()];
  },
};

function unfitForUpgrade({ links, upgrade }: Place): string | undefined {
  if (upgrade === undefined) return "there is one version; --other names a second installation";
  return links === undefined ? "the schema of its ODB would stay the newer one" : undefined;
}

function isKept(rows: readonly PromiseRow[]): boolean {
  return rows.every(({ verdict }) => verdict !== "broken");
}

/** Brings the schema up to the newer version, while servers of the older one use it. */
async function migrate({ cluster, say }: Stage, to: Installation): Promise<PromiseRow> {
  const { odbUrl } = cluster.servers[0]!;
  const { stdout } = await runOf(to, ["create", "odb", odbUrl, "-o", "json"]);
  const schema: { readonly from: number; readonly to: number } = JSON.parse(stdout);
  await cluster.recovered();
  const measured = schema.from === schema.to
    ? `${schema.to}, both have it`
    : `${schema.from} -> ${schema.to} while all servers ran`;
  say(`Schema version: ${measured}`);
  return noted("Schema version of the ODB", measured);
}

/**
 * Has the first server go over to another version, lets both run side by side for half of the
 * rehearsal's duration, and has the others follow.
 */
async function changeOver(
  stage: Stage,
  changes: ChangesMade,
  path: UpgradePath,
): Promise<readonly PromiseRow[]> {
  const { cluster, dose: { durationMs } } = stage;
  const promise = `Every server goes from ${path.from.name} to ${path.to.name}`;
  const began = performance.now();
  let mixed: PromiseRow | undefined;
  for (const server of cluster.servers) {
    const refusal = await move(stage, server, path);
    if (refusal !== undefined) {
      const broken = { ...holds(promise, false, "refused"), cases: [refusal] };
      return mixed === undefined ? [broken] : [broken, mixed];
    }
    mixed ??= await sideBySide(stage, changes, durationMs / 2);
  }
  const took = formatMs(performance.now() - began);
  return [holds(promise, true, `in ${took}`), mixed!]; // there is a first server
}

/** Why the other version did not start; the server is back at the one that it had then. */
async function move(
  stage: Stage,
  server: LocalServer,
  { from, to }: UpgradePath,
): Promise<string | undefined> {
  const { cluster } = stage;
  cluster.setAway(server, true);
  const fault = stage.begin(`${server.name} goes from ${from.name} to ${to.name}`);
  await runOf(from, ["stop", server.directory]);
  const refusal = await runOf(to, ["start", server.directory]).then(() => undefined, reasonIfTold);
  if (refusal !== undefined) await runOf(from, ["start", server.directory]);
  cluster.setAway(server, false);
  await cluster.recovered();
  const { version } = await cluster.status(server);
  stage.end(fault, `${server.name} runs ${version}`);
  return refusal;
}

function reasonIfTold(error: unknown): string {
  if (isPlatformError(error, "REHEARSAL_COMMAND")) return error.message;
  throw error;
}

async function sideBySide(
  { cluster, say }: Stage,
  changes: ChangesMade,
  durationMs: number,
): Promise<PromiseRow> {
  const began = performance.now();
  const statuses = await Promise.all(cluster.servers.map((server) => cluster.status(server)));
  const versions = statuses.map(({ name, version }) => `${name} ${version}`).join(", ");
  say(`Side by side: ${versions}`);
  do {
    for (const server of cluster.servers) {
      const next = delay(changeEveryMs);
      await changes.make(server);
      await next;
    }
  } while (performance.now() - began < durationMs);
  return noted(`Side by side for ${formatMs(performance.now() - began)}`, versions);
}

/** Changes of a channel and deployments, made through servers of both versions. */
class ChangesMade {
  readonly #stage: Stage;
  /** What did not become live everywhere. */
  readonly #failed: string[] = [];
  /** Servers that did not say that they run the same. */
  readonly #different: string[] = [];
  #version = 1;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Changes the channel of the load, and deploys its service anew, through one server. */
  async make(server: LocalServer): Promise<void> {
    const { cluster, workload } = this.#stage;
    const through = cluster.through(server);
    this.#version++;
    const channel = channelObject("dragoman-rehearsal.orders", `Version ${this.#version}`);
    this.#note(`the channel through ${server.name}`, await applyObjects(through, [channel]));
    this.#note(`a service through ${server.name}`, await workload.deploy(this.#version, through));
    await cluster.recovered();
    const statuses = await Promise.all(cluster.servers.map((one) => cluster.status(one)));
    const [first] = statuses;
    for (const { name, stateHash, wantedHash, failures } of statuses) {
      const isSame = stateHash === wantedHash && stateHash === first?.stateHash;
      if (isSame && failures.length === 0) continue;
      const reasons = failures.map((failure) =>
        `${failure.kind}/${failure.name}: ${failure.error}`
      );
      this.#different.push(
        `${name} at version ${this.#version}: ${reasons.join("; ") || stateHash}`,
      );
    }
  }

  rows(): readonly PromiseRow[] {
    const count = (this.#version - 1) * 2;
    return [
      none(`Changes through either version not live on every server, of ${count}`, this.#failed),
      none("Servers that ran something else than the others after a change", this.#different),
    ];
  }

  #note(what: string, { servers = [] }: Pick<ApplyResult, "servers">): void {
    const failed = servers.filter(({ outcome }) => outcome !== "live").map(describe);
    if (servers.length === 0) failed.push("nothing changed");
    if (failed.length > 0) this.#failed.push(`${what}: ${failed.join(", ")}`);
  }
}

function describe({ server, outcome, reason }: ServerOutcome): string {
  return `${server} ${outcome}${reason === undefined ? "" : `: ${reason}`}`;
}
