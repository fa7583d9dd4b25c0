import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { PlatformError } from "../../errors/platform-error.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { ServiceDescription } from "../../odb/types.ts";
import { isService, type Service } from "../../service/define-service.ts";
import * as platformModule from "../../service/index.ts";
import { jsonSchemaOf } from "../../service/json-schema.ts";
import { collectThreadTasks, type ThreadTask } from "../../service/threads.ts";
import { checkBundle, loadLimitMs } from "../deploy/bundle-files.ts";

/** Where bundles find this process's copy of the module "dragoman". */
const platformModuleKey = Symbol.for("dragoman.module");

/** What a bundle brings: the services that it exports and the thread tasks that it defines. */
export interface LoadedModule {
  readonly services: readonly Service[];
  readonly tasks: ReadonlyMap<string, ThreadTask>;
  /** Of its code. */
  readonly sizeBytes: number;
}

/** Where a thread finds a task again. */
export interface TaskPlace {
  /** The bundle's path. */
  readonly path: string;
  readonly name: string;
}

const places = new WeakMap<ThreadTask, TaskPlace>();

/** Where a task was defined; undefined for one that was made after its file had been loaded. */
export function placeOfTask(task: ThreadTask): TaskPlace | undefined {
  return places.get(task);
}

/** Loads follow each other: which tasks a file defines is seen by what is defined meanwhile. */
let turn: Promise<unknown> = Promise.resolve();

interface LoadOptions {
  /** What errors call it. Default: the name of the bundle. */
  readonly file?: string;
  /** How long its top-level code may take. Default 15,000. */
  readonly limitMs?: number;
}

/**
 * Imports a bundle and returns what it brings, each service once. Throws DEPLOY_DAMAGED before any
 * of it has run, DEPLOY_TIMEOUT, SERVICE_NONE_IN_FILE, SERVICE_TWICE_IN_FILE, THREAD_TASK_INVALID
 * and whatever the module's own code throws.
 */
export function loadBundle(path: string, options: LoadOptions = {}): Promise<LoadedModule> {
  const loading = turn.then(() => importBundle(path, options));
  turn = loading.catch(() => {}); // who asked hears of it
  return loading;
}

const loaded = new Map<string, LoadedModule>();

async function importBundle(path: string, options: LoadOptions): Promise<LoadedModule> {
  // Its code runs once, however often it is imported: what it defined then is not defined again.
  const known = loaded.get(path);
  if (known !== undefined) return known;
  const sizeBytes = await checkBundle(path);
  Object.assign(globalThis, { [platformModuleKey]: platformModule });
  const { module, tasks } = await collectThreadTasks(() => importWithin(path, options));
  const services = exportedServices(module);
  if (services.length === 0 && tasks.size === 0) throw new PlatformError("SERVICE_NONE_IN_FILE");
  for (const [name, task] of tasks) places.set(task, { path, name });
  const made = { services, tasks, sizeBytes };
  loaded.set(path, made);
  return made;
}

/**
 * Imports that go on, with the moment at which they are given up. None begins a second time: what
 * the engine gives for a module that still runs has no exports yet.
 */
const pending = new Map<string, { readonly imported: Promise<Module>; readonly endsAt: number }>();

type Module = Record<string, unknown>;

/** What is late fails at once when it is asked for again, until it has loaded after all. */
async function importWithin(
  path: string,
  { file = basename(path), limitMs = loadLimitMs }: LoadOptions,
): Promise<Module> {
  const now = performance.now();
  let entry = pending.get(path);
  if (entry === undefined) {
    // The URL, not the path: a path with "%", "?" or "#" in it would name another file.
    const { href } = pathToFileURL(path);
    const imported: Promise<Module> = import(href).finally(() => pending.delete(path));
    entry = { imported, endsAt: now + limitMs };
    pending.set(path, entry);
  }
  const { imported, endsAt } = entry;
  const late = () => new PlatformError("DEPLOY_TIMEOUT", { file, seconds: limitMs / 1_000 });
  return await withTimeout(imported, Math.max(0, endsAt - now), late);
}

function exportedServices(module: Record<string, unknown>): readonly Service[] {
  const byName = new Map<string, { readonly service: Service; readonly exported: string }>();
  for (const [exported, service] of Object.entries(module)) {
    if (!isService(service)) continue;
    const other = byName.get(service.name);
    if (other !== undefined && other.service !== service) {
      throw new PlatformError("SERVICE_TWICE_IN_FILE", {
        name: service.name,
        first: other.exported,
        second: exported,
      });
    }
    byName.set(service.name, { service, exported });
  }
  return [...byName.values()].map(({ service }) => service);
}

/** What consoles and documents show of a service; JSON Schemas where its schemas can be expressed so. */
export function describeService(service: Service): ServiceDescription {
  const input = jsonSchemaOf(service.input, "input");
  const output = jsonSchemaOf(service.output, "output");
  return {
    name: service.name,
    description: service.description,
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
  };
}
