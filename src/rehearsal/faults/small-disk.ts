import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { findExecutable } from "../../lib/executables.ts";

/** Room for all that servers write, and soon full. */
const sizeBytes = 32 * 1024 * 1024;

/**
 * A disk of its own in memory. It is mounted where only programs see it that are started `within`
 * it: the machine's own mounts are not touched, and it is gone with the last of these programs.
 */
export class SmallDisk {
  /** Program and arguments through which others are run so that they see the disk. */
  readonly within: readonly string[];
  readonly #holder: ChildProcess;
  readonly #root: string;
  /** Directories that lie on the disk, and where. */
  readonly #held = new Map<string, string>();

  private constructor(holder: ChildProcess, root: string) {
    this.#holder = holder;
    this.#root = root;
    const user = isRoot() ? [] : ["--user", "--preserve-credentials"];
    this.within = ["nsenter", `--target=${holder.pid}`, "--mount", ...user];
  }

  /** Throws when this user may not do that here: ask `unfitForSmallDisk` before. */
  static async open(): Promise<SmallDisk> {
    const root = await mkdtemp(join(tmpdir(), "dragoman-small-disk-"));
    const script =
      `mount -t tmpfs -o size=${sizeBytes},mode=755 tmpfs "$0" && echo ready && exec cat`;
    const [program, ...words] = [...namespaceWords(), "sh", "-c", script, root];
    // It ends when its standard input does: with us, however we end.
    const holder = spawn(program!, words, { stdio: ["pipe", "pipe", "inherit"] });
    await Promise.race([once(holder.stdout, "data"), once(holder, "exit")]);
    if (holder.exitCode !== null) throw new Error("A disk in memory could not be mounted");
    return new SmallDisk(holder, root);
  }

  /** Puts a directory on the disk, with all that is in it. Nobody may be using it. */
  async hold(directory: string): Promise<void> {
    const place = join(this.#root, String(this.#held.size));
    await this.#run("cp", "-a", directory, place);
    await this.#run("mount", "--bind", place, directory);
    this.#held.set(directory, place);
  }

  /** Writes what is on the disk back to where the directory really is. Nobody may be using it. */
  async giveBack(directory: string): Promise<void> {
    const from = this.seen(join(this.#held.get(directory)!, "."));
    await rm(directory, { recursive: true });
    await promisify(execFile)("cp", ["-a", from, directory]);
  }

  /** The path under which programs outside see a file of a program within. */
  seen(path: string): string {
    return `/proc/${this.#holder.pid}/root${path}`;
  }

  /** Leaves no room for another byte. */
  async fill(): Promise<void> {
    const block = new Uint8Array(64 * 1024);
    await using file = await open(this.seen(join(this.#root, "filler")), "w");
    try {
      for (;;) await file.write(block);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }

  async makeRoom(): Promise<void> {
    await rm(this.seen(join(this.#root, "filler")));
  }

  /** Whether a directory on the disk may be written. Nobody may have a file open in it to write. */
  async setReadOnly(directory: string, isReadOnly: boolean): Promise<void> {
    await this.#run("mount", "-o", `remount,bind,${isReadOnly ? "ro" : "rw"}`, directory);
  }

  /** The disk itself goes with the last program that sees it. */
  async close(): Promise<void> {
    const exited = once(this.#holder, "exit");
    this.#holder.stdin?.end();
    await exited;
    await rm(this.#root, { recursive: true, force: true });
  }

  async #run(...words: readonly string[]): Promise<void> {
    const [program, ...rest] = [...this.within, ...words];
    await promisify(execFile)(program!, rest);
  }
}

/** Why no disk can be mounted here; undefined when one can. */
export function unfitForSmallDisk(): string | undefined {
  const missing = ["unshare", "nsenter"].find((name) => findExecutable(name) === undefined);
  if (missing !== undefined) return `this machine has no program ${missing} (package util-linux)`;
  const script = 'mount -t tmpfs -o size=4096 tmpfs "$0"';
  const [program, ...words] = [...namespaceWords(), "sh", "-c", script, tmpdir()];
  const { status, stderr } = spawnSync(program!, words, { encoding: "utf8" });
  return status === 0 ? undefined : `no disk in memory can be mounted here: ${stderr.trim()}`;
}

/** A user who is not root is root in a namespace of users, as far as mounts are concerned. */
function namespaceWords(): readonly string[] {
  return ["unshare", "--mount", ...(isRoot() ? [] : ["--map-root-user"])];
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
