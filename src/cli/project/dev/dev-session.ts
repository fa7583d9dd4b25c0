import { stat } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import type { ApplyChange } from "../../../admin-api/api.ts";
import { isPlatformError } from "../../../errors/platform-error.ts";
import type { JsonClient } from "../../../mtls/client.ts";
import { type Environment, withAdmin } from "../../cluster/environment.ts";
import type { TextSink } from "../../io.ts";
import { findProjectFiles, type ProjectFiles } from "../project-files.ts";
import { declarationsName, refreshDeclarations } from "../types/declarations-file.ts";
import { BackgroundCheck } from "./background-check.ts";
import { Deployer, keptNote } from "./deployer.ts";
import { afterSave, DevLog } from "./dev-log.ts";
import { DirectoryWatch } from "./directory-watch.ts";
import { ObjectSync } from "./object-sync.ts";
import { ServiceBundles } from "./service-bundles.ts";

export interface DevOptions {
  readonly environment: Environment;
  /** The cluster is this run's own: what stands in a change's way may be taken away. */
  readonly isOwn: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sink: TextSink;
}

/**
 * Keeps a cluster as a project's files are: bundles and deploys services, applies objects, writes
 * declarations and checks types, at once and whenever a file is saved. What fails is said and tried
 * again with the next change; what ran before goes on running.
 */
export class DevSession implements AsyncDisposable {
  readonly #directory: string;
  readonly #options: DevOptions;
  readonly #log: DevLog;
  readonly #bundles = new ServiceBundles();
  readonly #objects: ObjectSync;
  readonly #check: BackgroundCheck;
  readonly #watch: DirectoryWatch;
  readonly #deployer: Deployer;
  #hasPendingObjects = true;
  #changed = new Set<string>();
  #work: Promise<void> | undefined;
  #isClosed = false;

  constructor(directory: string, options: DevOptions) {
    this.#directory = directory;
    this.#options = options;
    this.#log = new DevLog(options.sink, directory);
    this.#objects = new ObjectSync(options.env);
    this.#deployer = new Deployer(directory, {
      log: this.#log,
      release: async (client, uses) => {
        if (!options.isOwn) return false;
        const { objects } = await findProjectFiles(directory);
        // What is wrong with the objects is said when they are applied.
        const released = await this.#objects.release(client, objects, uses).catch(() => false);
        this.#hasPendingObjects ||= released;
        return released;
      },
    });
    this.#check = new BackgroundCheck(directory, {
      colour: options.sink.colour,
      onResult: (texts) => this.#log.problems("types", texts),
    });
    this.#watch = new DirectoryWatch((paths) => this.#note(paths));
  }

  /** Deploys and applies everything as it is now, and watches from then on. */
  async start(): Promise<void> {
    // Watching begins first, so that a change during the first round is not lost.
    this.#watch.update(new Set((await findProjectFiles(this.#directory)).directories));
    this.#work = this.#run(true);
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#watch[Symbol.dispose]();
    await this.#work;
    await this.#check[Symbol.asyncDispose]();
    await this.#bundles[Symbol.asyncDispose]();
  }

  #note(paths: ReadonlySet<string>): void {
    // What this session writes itself is no change, nor is the file that it is first written to.
    const own = join(this.#directory, declarationsName);
    for (const path of paths) if (!path.startsWith(own)) this.#changed.add(path);
    if (this.#changed.size > 0) this.#work ??= this.#run(false);
  }

  async #run(isFirst: boolean): Promise<void> {
    let isRound = isFirst;
    while (!this.#isClosed && (isRound || this.#changed.size > 0)) {
      isRound = false;
      const changed = this.#changed;
      this.#changed = new Set();
      try {
        await this.#round(changed);
      } catch (error) {
        await this.#log.problem("cluster", error, { files: [] });
      }
    }
    this.#work = undefined;
  }

  async #round(changed: ReadonlySet<string>): Promise<void> {
    const files = await findProjectFiles(this.#directory);
    const savedAt = await lastSaved(changed);
    const isBuilt = await this.#build(files, changed);
    const inputs = this.#bundles.inputs.filter((file) => !file.includes("/node_modules/"));
    this.#watch.update(new Set([...files.directories, ...inputs.map(dirname)]));
    // Whether it is still there or gone.
    if ([...changed].some((path) => /\.ya?ml$/.test(path))) this.#hasPendingObjects = true;
    if (this.#deployer.hasWork || this.#hasPendingObjects) await this.#send(files, savedAt);
    // What cannot be compiled has been told already.
    const concernsTypes = [...changed].some((path) => /\.[cm]?tsx?$/.test(path));
    if (isBuilt && (changed.size === 0 || concernsTypes)) this.#check.start(files.sources);
  }

  async #send(files: ProjectFiles, savedAt: number | undefined): Promise<void> {
    await withAdmin(this.#options.environment, async (client) => {
      const round = { savedAt, inputs: this.#bundles.inputs };
      const isDeployed = await this.#deployer.deploy(client, round);
      const isApplied = this.#hasPendingObjects && await this.#apply(client, files, savedAt);
      const isRemoved = await this.#deployer.undeploy(client);
      if (isDeployed || isApplied || isRemoved) await refreshDeclarations(client, this.#directory);
    });
  }

  async #build(files: ProjectFiles, changed: ReadonlySet<string>): Promise<boolean> {
    const { bundles, failures, removed } = await this.#bundles.build(files.services, changed);
    for (const { file, bundle } of bundles) {
      this.#deployer.add(file, bundle);
      this.#log.settle(this.#name(file));
    }
    for (const { file, error } of failures) {
      this.#deployer.drop(file);
      if (changed.has(file)) this.#log.settle(this.#name(file));
      const said = { files: this.#bundles.inputs, note: keptNote };
      await this.#log.problem(this.#name(file), error, said);
    }
    for (const file of removed) {
      this.#log.settle(this.#name(file));
      // In a cluster that others use, what is gone here may still be wanted there.
      if (this.#options.isOwn) this.#deployer.remove(file);
      else {
        this.#deployer.drop(file);
        const command = `dragoman deployment delete ${basename(file)}`;
        this.#log.say(`${this.#name(file)} is gone; its services run on until ${command}`);
      }
    }
    return failures.length === 0;
  }

  async #apply(
    client: JsonClient,
    { objects }: ProjectFiles,
    savedAt: number | undefined,
  ): Promise<boolean> {
    try {
      const changes = await this.#objects.apply(client, objects);
      this.#hasPendingObjects = false;
      if (changes.length > 0) this.#log.good("objects", describe(changes) + afterSave(savedAt));
      else this.#log.settle("objects");
      return changes.length > 0;
    } catch (error) {
      if (!isPlatformError(error)) throw error;
      await this.#log.problem("objects", error, { files: objects });
      return false;
    }
  }

  #name(file: string): string {
    return relative(this.#directory, file);
  }
}

function describe(changes: readonly ApplyChange[]): string {
  return changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`).join(", ");
}

/** When the last of these files was written; undefined when none of them is there. */
async function lastSaved(paths: ReadonlySet<string>): Promise<number | undefined> {
  const times = await Promise.all(
    [...paths].map((path) => stat(path).then(({ mtimeMs }) => mtimeMs, () => 0)),
  );
  return times.length === 0 || Math.max(...times) === 0 ? undefined : Math.max(...times);
}
