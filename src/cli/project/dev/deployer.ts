import { basename, relative } from "node:path";
import type { DeployResult } from "../../../admin-api/api.ts";
import { isPlatformError, PlatformError } from "../../../errors/platform-error.ts";
import type { JsonClient } from "../../../mtls/client.ts";
import type { ObjectKey } from "../../../odb/types.ts";
import type { DeployFile } from "../../../server/deploy/bundle.ts";
import { afterSave, type DevLog } from "./dev-log.ts";

/** What is true of every deployment that fails. */
export const keptNote = "what ran before still runs";

/** An object that uses a service which would go with a deployment. */
interface Use {
  readonly user: ObjectKey;
  readonly used: ObjectKey;
}

export interface DeployerOptions {
  readonly log: DevLog;
  /** Takes away what uses services that are to go; false when that cannot be. */
  readonly release: (client: JsonClient, uses: readonly Use[]) => Promise<boolean>;
}

export interface DeployRound {
  /** When the change was saved, in milliseconds since 1970. */
  readonly savedAt: number | undefined;
  /** Files in which places of errors are looked for. */
  readonly inputs: readonly string[];
}

type Pending = readonly (readonly [file: string, bundle: DeployFile])[];

/** Brings bundles to the cluster; those that are refused are tried again with the next change. */
export class Deployer {
  readonly #directory: string;
  readonly #options: DeployerOptions;
  readonly #pending = new Map<string, DeployFile>();
  /** Whose bundle came last under a base name, which is what a deployment goes by. */
  readonly #owners = new Map<string, string>();
  /** Files that are gone here and still run there. */
  readonly #removed = new Set<string>();

  constructor(directory: string, options: DeployerOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  get hasWork(): boolean {
    return this.#pending.size + this.#removed.size > 0;
  }

  add(file: string, bundle: DeployFile): void {
    this.#pending.set(file, bundle);
    this.#owners.set(basename(file), file);
    this.#removed.delete(file);
  }

  drop(file: string): void {
    this.#pending.delete(file);
  }

  /** Takes a file's services away with the next `undeploy`. */
  remove(file: string): void {
    this.#pending.delete(file);
    // A file that was only moved runs on from its new place.
    if (this.#owners.get(basename(file)) === file) this.#removed.add(file);
  }

  /** Takes away what is to go; what is still used stays until nothing uses it any more. */
  async undeploy(client: JsonClient): Promise<boolean> {
    const before = this.#removed.size;
    for (const file of this.#removed) {
      try {
        await client.delete(`/v1/deployments/${encodeURIComponent(basename(file))}`);
        this.#options.log.good(this.#name(file), "and its services are taken away");
        this.#removed.delete(file);
      } catch (error) {
        if (!isPlatformError(error)) throw error;
        // It never ran.
        if (isPlatformError(error, "ODB_NO_OBJECT")) this.#removed.delete(file);
        else await this.#options.log.problem(this.#name(file), error, { files: [] });
      }
    }
    return this.#removed.size < before;
  }

  /**
   * Deploys all that waits at once; one by one when that is refused, so that one file cannot hold
   * up the others. Says whether anything was deployed.
   */
  async deploy(client: JsonClient, round: DeployRound): Promise<boolean> {
    const all = [...this.#pending];
    if (all.length === 0) return false;
    if (all.length > 1 && await this.#try(client, all, round) === undefined) return true;
    let isAnyLive = false;
    for (const one of all) {
      const error = await this.#try(client, [one], round);
      if (error === undefined) isAnyLive = true;
      else {
        const said = { files: round.inputs, note: keptNote };
        await this.#options.log.problem(this.#name(one[0]), error, said);
      }
    }
    return isAnyLive;
  }

  /** Resolves with the reason when it is refused. */
  async #try(client: JsonClient, files: Pending, round: DeployRound): Promise<unknown> {
    try {
      this.#tell(await this.#post(client, files), files, round);
      return undefined;
    } catch (error) {
      if (!isPlatformError(error)) throw error;
      return error;
    }
  }

  async #post(client: JsonClient, files: Pending): Promise<DeployResult> {
    try {
      return await post(client, files);
    } catch (error) {
      if (!isPlatformError(error, "ODB_IN_USE")) throw error;
      if (!await this.#options.release(client, usesOf(error))) throw error;
      return await post(client, files);
    }
  }

  #tell({ outcome, files, servers }: DeployResult, pending: Pending, { savedAt }: DeployRound) {
    const live = servers.filter((server) => server.outcome === "live").length;
    const state = outcome === "unchanged"
      ? "is live as it is"
      : `is live on ${live} ${live === 1 ? "server" : "servers"}${afterSave(savedAt)}`;
    const rest = servers.filter((server) => server.outcome !== "live")
      .map(({ server, reason = "not live" }) => `; ${server}: ${reason}`).join("");
    for (const [file, bundle] of pending) {
      this.#pending.delete(file);
      const services = files.find(({ name }) => name === bundle.name)?.services.join(", ") ?? "";
      this.#options.log.good(this.#name(file), `${state} (${services})${rest}`);
    }
  }

  #name(file: string): string {
    return relative(this.#directory, file);
  }
}

async function post(client: JsonClient, pending: Pending): Promise<DeployResult> {
  const files = pending.map(([, bundle]) => bundle);
  const result = await client.post<DeployResult>("/v1/deployments", { files });
  if (result.outcome !== "rejected") return result;
  const reason = result.servers.find(({ outcome }) => outcome === "failed")?.reason ?? "unknown";
  const error = new PlatformError("CLI_DEPLOY_REJECTED", { reason });
  // The server's own words, because they end in the place in the author's file.
  error.message = reason;
  throw error;
}

function usesOf({ details }: PlatformError): readonly Use[] {
  const uses: unknown = details !== null && typeof details === "object" && "uses" in details
    ? details.uses
    : [];
  return uses as readonly Use[]; // as the ODB writes them
}
