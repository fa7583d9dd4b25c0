import { spawn } from "node:child_process";
import { defaultPorts } from "../../../src/config/schemas.ts";
import { runtimeCommand } from "../../../src/cli/lifecycle/runtime-command.ts";
import { isPortFree } from "../../../src/lib/ports.ts";

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** Runs a command line in a process of its own, without the launcher's checks. */
export function cli(words: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { program, words: all } = runtimeCommand(words);
  return runProcess(program, all, options);
}

/** As `cli`, but a failure is an error that shows what the command said. */
export async function cliOk(
  words: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const result = await cli(words, options);
  if (result.code === 0) return result;
  throw new Error(`dragoman ${words.join(" ")} exited ${result.code}\n${result.stderr}`);
}

export async function cliJson<T>(words: readonly string[], options: CliOptions = {}): Promise<T> {
  return JSON.parse((await cliOk([...words, "-o", "json"], options)).stdout);
}

export function runProcess(
  program: string,
  words: readonly string[],
  { cwd, env = {}, stdin = "" }: CliOptions = {},
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...words], { cwd, env: { ...process.env, ...env } });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
    child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    child.stdin.end(stdin);
  });
}

/** An offset at which every port of a quickstart with up to 4 servers is free. */
export async function findFreeOffset(): Promise<number> {
  const more = [1, 2, 3].flatMap((n) => [defaultPorts.server + n, defaultPorts.serverAdmin + n]);
  const ports = [...Object.values(defaultPorts), ...more];
  for (let tries = 0; tries < 100; tries++) {
    // Below the range from which outgoing connections get their ports, 32768 and up.
    const offset = 500 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(ports.map((port) => isPortFree(port + offset)));
    if (free.every(Boolean)) return offset;
  }
  throw new Error("No port offset is free");
}
