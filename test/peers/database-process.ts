import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findExecutable } from "../../src/lib/executables.ts";
import { isProcessAlive } from "../../src/lib/processes.ts";
import { poll } from "../../src/lib/wait.ts";

/** A database server that runs as a child of this process, on loopback, in a directory of its own. */
export interface DatabasePeer {
  /** Of an empty database, without password; the user may create further databases. */
  readonly url: string;
  readonly password: string;
  /** Of the main process; another one after `restart`. */
  readonly pid: number;
  /** Makes an empty database and returns its URL. */
  createDatabase(name: string): Promise<string>;
  /** SIGKILL to all its processes. The data stay for `restart`. */
  kill(): Promise<void>;
  /** Starts it on the same port with the same data, after killing it if it runs. */
  restart(): Promise<void>;
  /** SIGSTOP to all its processes: connections stay open and nothing answers. */
  freeze(): void;
  /** SIGCONT after `freeze`. */
  thaw(): void;
  /** Ends it and removes its directory. */
  stop(): Promise<void>;
}

/** Whom a daemon that refuses to be root runs as; nothing when we are not root. */
export interface DaemonUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** The account that the Debian package made, or ourselves when we are an ordinary user. */
export function daemonUser(name: string): DaemonUser {
  if (process.getuid?.() !== 0) return {};
  const line = readFileSync("/etc/passwd", "utf8").split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = (line ?? "").split(":");
  if (uid === undefined) throw new Error(`There is no user "${name}"; install its package`);
  return { uid: Number(uid), gid: Number(gid) };
}

/** An empty directory that belongs to `user`. */
export function makeDataDirectory(prefix: string, { uid, gid }: DaemonUser): string {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  if (uid !== undefined && gid !== undefined) chownSync(directory, uid, gid);
  return directory;
}

/** The program's path. Throws, naming the package, when it is not installed. */
export function requireProgram(debianPackage: string, ...candidates: readonly string[]): string {
  for (const candidate of candidates) {
    const path = candidate.startsWith("/")
      ? (existsSync(candidate) ? candidate : undefined)
      : findExecutable(candidate);
    if (path !== undefined) return path;
  }
  throw new Error(`No ${candidates.at(-1)} here: apt-get install ${debianPackage}`);
}

/** Runs a set-up program to its end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  user: DaemonUser,
): Promise<void> {
  await promisify(execFile)(program, [...args], { ...user, cwd: "/" });
}

export interface DaemonOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly user: DaemonUser;
  /** What it writes to standard error when it accepts connections. */
  readonly readyText: string;
}

/** A daemon that can be killed, frozen and started again. */
export class Daemon {
  readonly #options: DaemonOptions;
  #child: ChildProcess | undefined;
  readonly #killAtExit = () => this.#signal("SIGKILL");

  constructor(options: DaemonOptions) {
    this.#options = options;
    process.on("exit", this.#killAtExit);
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#options.program} does not run`);
    return pid;
  }

  /** Resolves when it accepts connections; rejects with its log when it ends instead. */
  async start(): Promise<void> {
    const { program, args, user, readyText } = this.#options;
    const child = spawn(program, [...args], {
      ...user,
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    let log = "";
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`${program} ended: ${log}`)));
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        log = (log + text).slice(-20_000);
        if (log.includes(readyText)) resolve();
      });
    });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    const pids = processTree(child.pid!);
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    const exit = hasEnded ? undefined : once(child, "exit");
    for (const pid of pids) sendSignal(pid, "SIGKILL");
    await exit;
    await poll(() => pids.some(isProcessAlive) ? undefined : true, { timeoutMs: 10_000 });
  }

  freeze(): void {
    this.#signal("SIGSTOP");
  }

  thaw(): void {
    this.#signal("SIGCONT");
  }

  /** Ends it for good and removes `directory`. */
  async dispose(directory: string): Promise<void> {
    await this.kill();
    process.off("exit", this.#killAtExit);
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid === undefined) return;
    for (const pid of processTree(this.#child.pid)) sendSignal(pid, signal);
  }
}

/** A process and its children; database servers have no grandchildren. */
function processTree(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return [pid, ...children.split(" ").filter((text) => text !== "").map(Number)];
  } catch {
    return [pid]; // gone already
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** What every database peer hands out, over its daemon and its way to make databases. */
export async function databasePeer(
  daemon: Daemon,
  { password, directory, createDatabase }: {
    readonly password: string;
    readonly directory: string;
    readonly createDatabase: (name: string) => Promise<string>;
  },
): Promise<DatabasePeer> {
  return {
    url: await createDatabase("odb"),
    password,
    get pid() {
      return daemon.pid;
    },
    createDatabase,
    kill: () => daemon.kill(),
    restart: async () => {
      await daemon.kill();
      await daemon.start();
    },
    freeze: () => daemon.freeze(),
    thaw: () => daemon.thaw(),
    stop: () => daemon.dispose(directory),
  };
}
