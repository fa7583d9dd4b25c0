import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findPortOffset } from "../../src/rehearsal/own-cluster.ts";

const launcher = resolve(import.meta.dirname!, "../../dragoman");

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line the way a person does, through the launcher. */
export function dragoman(
  args: readonly string[],
  { cwd, env = {}, within = [] }: {
    readonly cwd?: string;
    readonly env?: Record<string, string>;
    /** Program and arguments through which it is run. */
    readonly within?: readonly string[];
  } = {},
): Promise<CommandResult> {
  return new Promise((done) => {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
    const [program, ...words] = [...within, launcher, ...args];
    execFile(program!, words, options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      done({ exitCode, stdout, stderr });
    });
  });
}

/** As `dragoman`, but a command that fails is an error that shows what it said. */
export async function dragomanOk(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CommandResult> {
  const result = await dragoman(args, { env });
  if (result.exitCode !== 0) {
    throw new Error(`dragoman ${args.join(" ")} exited ${result.exitCode}\n${result.stderr}`);
  }
  return result;
}

export async function dragomanJson<T>(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<T> {
  return JSON.parse((await dragomanOk([...args, "-o", "json"], env)).stdout);
}

export interface ComponentState {
  readonly name: string;
  readonly component: string;
  readonly state: string;
  readonly pid: number | null;
  readonly directory: string;
}

export interface Quickstart {
  readonly directory: string;
  readonly balancerUrl: string;
  readonly webAdmin: { readonly url: string; readonly username: string; readonly password: string };
  readonly servers: readonly {
    readonly name: string;
    readonly url: string;
    readonly adminUrl: string;
  }[];
  /** Runs a command with `--env` of this cluster. */
  run(...args: string[]): Promise<CommandResult>;
  json<T>(...args: string[]): Promise<T>;
  components(): Promise<readonly ComponentState[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A cluster of its own on free ports, as `quickstart create --start` makes it. */
export async function startQuickstart(
  options: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Quickstart> {
  const parent = await mkdtemp(join(tmpdir(), "dragoman-e2e-"));
  const directory = join(parent, "demo");
  const remove = async () => {
    await dragoman(["quickstart", "stop", directory]);
    await rm(parent, { recursive: true, force: true });
  };
  try {
    const created = await dragomanJson<{
      readonly balancer: { readonly url: string };
      readonly webAdmin: Quickstart["webAdmin"];
      readonly servers: Quickstart["servers"];
    }>([
      "quickstart",
      "create",
      directory,
      "--start",
      "--port-offset",
      String(await freeOffset()),
      ...options,
    ], env);
    return {
      directory,
      balancerUrl: created.balancer.url,
      webAdmin: created.webAdmin,
      servers: created.servers,
      run: (...args) => dragoman([...args, "--env", directory]),
      json: (...args) => dragomanJson([...args, "--env", directory]),
      components: async () =>
        (await dragomanJson<{ readonly components: readonly ComponentState[] }>(
          ["quickstart", "status", directory],
        )).components,
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** An offset at which every default port of a cluster of two servers is free. */
export function freeOffset(): Promise<number> {
  return findPortOffset(2);
}
