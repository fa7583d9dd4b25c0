import { chmod, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { PlatformError } from "../errors/platform-error.ts";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import { applyEnvironment } from "./environment-overrides.ts";
import { loadText, parseYaml, validateSource } from "./yaml-source.ts";

/** Every kind of directory that the create commands make. */
export const componentKinds = [
  "ca",
  "kvdb",
  "load-balancer",
  "server",
  "web-admin",
  "environment",
] as const;
export type ComponentKind = (typeof componentKinds)[number];

/** The version that components are stamped with and that `dragoman version` prints. */
export const version = "0.1.0";

const markerSchema = z.object({
  component: z.enum(componentKinds),
  version: z.string(),
  createdAt: z.string(),
});
export type ComponentMarker = z.infer<typeof markerSchema>;

/** Where things stand in every component directory. Not every component has all of them. */
export interface ComponentPaths {
  readonly root: string;
  /** `component.json`: what this directory is and which version made it. */
  readonly marker: string;
  /** `config.yaml`: the component's configuration, validated on every read. */
  readonly config: string;
  /** `secrets/` (0700): one file (0600) a secret. */
  readonly secrets: string;
  /** `tls/` (0700): `cert.pem`, `key.pem`, `ca.pem`. */
  readonly tls: string;
  /** `state/`: what the component writes for itself and needs after a restart. */
  readonly state: string;
  /** `log/`: `<component>.log`, JSON lines. */
  readonly log: string;
  /** `run/`: pid file and sockets; empty while the component is stopped. */
  readonly run: string;
}

export function componentPaths(directory: string): ComponentPaths {
  const root = resolve(directory);
  return {
    root,
    marker: join(root, "component.json"),
    config: join(root, "config.yaml"),
    secrets: join(root, "secrets"),
    tls: join(root, "tls"),
    state: join(root, "state"),
    log: join(root, "log"),
    run: join(root, "run"),
  };
}

/** Reads `component.json`; throws CONFIG_NOT_A_COMPONENT, or CONFIG_WRONG_COMPONENT. */
export async function loadMarker(
  directory: string,
  wanted?: ComponentKind,
): Promise<ComponentMarker> {
  const { marker, root } = componentPaths(directory);
  if (await stat(marker).then(() => false, () => true)) {
    throw new PlatformError("CONFIG_NOT_A_COMPONENT", { directory: root });
  }
  const [source] = parseYaml(await loadText(marker), marker);
  if (source === undefined) throw new PlatformError("CONFIG_NOT_A_COMPONENT", { directory: root });
  const found = validateSource(markerSchema, source);
  if (wanted !== undefined && found.component !== wanted) {
    throw new PlatformError("CONFIG_WRONG_COMPONENT", {
      directory: root,
      found: found.component,
      wanted,
    });
  }
  return found;
}

/** Makes the directory of a component: folders, marker, configuration, secrets. */
export async function createComponent(
  directory: string,
  { component, config, secrets = {} }: {
    readonly component: ComponentKind;
    readonly config: unknown;
    /** File name under `secrets/` -> content. */
    readonly secrets?: Readonly<Record<string, string>>;
  },
): Promise<ComponentPaths> {
  const paths = componentPaths(directory);
  await mkdir(paths.root, { recursive: true, mode: 0o755 });
  for (const folder of [paths.state, paths.log, paths.run]) {
    await mkdir(folder, { recursive: true });
  }
  for (const folder of [paths.secrets, paths.tls]) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o700);
  }
  for (const [name, content] of Object.entries(secrets)) {
    await writeFileAtomic(join(paths.secrets, name), content);
  }
  await writeFileAtomic(paths.config, stringify(config), { mode: 0o644 });
  // The marker comes last: a directory without it is not taken for a finished component.
  const marker: ComponentMarker = { component, version, createdAt: new Date().toISOString() };
  await writeFileAtomic(paths.marker, JSON.stringify(marker, null, 2) + "\n", { mode: 0o644 });
  return paths;
}

/** True when `directory` does not exist or holds nothing. */
export async function isEmptyDirectory(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT";
  }
}

/**
 * Loads a component's configuration: `config.yaml`, then `DRAGOMAN__SECTION__KEY` variables over
 * it, validated and frozen. Throws CONFIG_* with file, line and column.
 */
export async function loadConfig<S extends z.ZodType>(
  directory: string,
  schema: S,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<z.output<S>> {
  const { config } = componentPaths(directory);
  const [source] = parseYaml(await loadText(config), config);
  const base = source ?? { file: config, value: {}, locate: () => config };
  return deepFreeze(validateSource(schema, applyEnvironment(base, env)));
}

/** Reads one file of `secrets/`, without the newline at its end; undefined when there is none. */
export async function loadSecret(directory: string, name: string): Promise<string | undefined> {
  try {
    return (await readFile(join(componentPaths(directory).secrets, name), "utf8")).trimEnd();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === "object") {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
