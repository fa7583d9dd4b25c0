import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PlatformError } from "../../errors/platform-error.ts";

/** The files of a project, absolute and in order. */
export interface ProjectFiles {
  /** Everything TypeScript: services, tests, what they import, declarations. */
  readonly sources: readonly string[];
  readonly tests: readonly string[];
  /** Files below `services/` that define services: what is deployed. */
  readonly services: readonly string[];
  /** YAML files below `objects/`: what is applied. */
  readonly objects: readonly string[];
  /** Every directory that was looked into. */
  readonly directories: readonly string[];
}

/** A file that is deployed defines a service or a task for threads; what it imports need not. */
const definition = /\bdefine(Service|ThreadTask)\s*[(<]/;

/** Checks that a project can be there: the directory exists. Throws CLI_NO_PROJECT. */
export async function requireProject(directory: string): Promise<string> {
  const path = resolve(directory);
  const found = await stat(path).then((entry) => entry.isDirectory(), () => false);
  if (!found) throw new PlatformError("CLI_NO_PROJECT", { directory: path });
  return path;
}

/**
 * Looks through a project. Hidden directories, `node_modules` and environments (directories with a
 * `component.json`) are no part of it.
 */
export async function findProjectFiles(directory: string): Promise<ProjectFiles> {
  const directories: string[] = [];
  const files = await walk(directory, directories);
  const below = (folder: string) =>
    files.filter((file) => file.startsWith(join(directory, folder) + "/"));
  const sources = files.filter((file) => /\.[cm]?tsx?$/.test(file));
  const candidates = below("services").filter((file) =>
    /\.m?[tj]s$/.test(file) && !/\.(test|d)\.m?[tj]s$/.test(file)
  );
  const texts = await Promise.all(candidates.map((file) => readFile(file, "utf8").catch(() => "")));
  return {
    sources,
    tests: files.filter((file) => /\.test\.m?[tj]s$/.test(file)),
    services: candidates.filter((_, index) => definition.test(texts[index]!)),
    objects: below("objects").filter((file) => /\.ya?ml$/.test(file)),
    directories,
  };
}

async function walk(directory: string, directories: string[]): Promise<string[]> {
  // A directory may go away while it is looked through.
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  if (entries.some(({ name }) => name === "component.json")) return [];
  directories.push(directory);
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) files.push(...await walk(path, directories));
    else files.push(path);
  }
  return files;
}
