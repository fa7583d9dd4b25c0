import { readdir, readFile, readlink } from "node:fs/promises";
import { isPortFree } from "../../lib/ports.ts";
import { poll } from "../../lib/wait.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { componentPaths } from "../../config/component.ts";
import { type Component, kindTitle } from "./component.ts";
import { hasOrphans } from "./orphans.ts";

/**
 * Throws CLI_PORT_TAKEN for the first port of the component that something listens on for longer
 * than `patienceMs`: what a killed component had started needs a moment to notice and leave.
 */
export async function refuseTakenPorts(
  component: Component,
  { patienceMs = 0 }: { readonly patienceMs?: number } = {},
): Promise<void> {
  // What an earlier run of this very component left behind is for the component to deal with.
  if (await hasOrphans(component)) return;
  for (const { use, host, port } of component.endpoints) {
    const probe = async () => (await isPortFree(port, host)) || undefined;
    if (await poll(probe, { timeoutMs: patienceMs })) continue;
    throw new PlatformError("CLI_PORT_TAKEN", {
      port,
      use,
      component: kindTitle(component.kind).toLowerCase(),
      name: component.name,
      holder: await describePortHolder(port),
      config: componentPaths(component.directory).config,
    });
  }
}

/**
 * Who listens on a port, for people: `process 812 (nginx)`, with the directory when it is one of
 * our components. Other users' processes can only be seen by root.
 */
export async function describePortHolder(port: number): Promise<string> {
  const inodes = await listeningInodes(port);
  if (inodes.size === 0) return "another process or an outgoing connection";
  const pid = await findSocketOwner(inodes);
  if (pid === undefined) return "a process of another user";
  const name = (await readText(`/proc/${pid}/comm`)).trim();
  const directory = await findOwnDirectory(pid);
  return directory === undefined
    ? `process ${pid} (${name || "unknown"})`
    : `process ${pid} (dragoman start ${directory})`;
}

async function findSocketOwner(inodes: ReadonlySet<string>): Promise<number | undefined> {
  const processes = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []); // not ours, or gone
    for (const file of files) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return Number(pid);
    }
  }
  return undefined;
}

async function listeningInodes(port: number): Promise<ReadonlySet<string>> {
  const listening = "0A";
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of (await readText(table)).split("\n")) {
      const fields = line.trim().split(/\s+/);
      const isWanted = fields[1]?.endsWith(`:${wanted}`) === true && fields[3] === listening;
      if (isWanted && fields[9] !== undefined) inodes.add(fields[9]);
    }
  }
  return inodes;
}

/** The component that a process is, or that has started it: a worker, HAProxy or Redis. */
async function findOwnDirectory(pid: number): Promise<string | undefined> {
  let process = pid;
  for (let generation = 0; generation < 4 && process > 1; generation++) {
    const directory = await readOwnDirectory(process);
    if (directory !== undefined) return directory;
    const stat = await readText(`/proc/${process}/stat`);
    process = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  }
  return undefined;
}

// Only of our own command line, which holds no secrets, anything but the program's name is shown.
async function readOwnDirectory(pid: number): Promise<string | undefined> {
  const words = (await readText(`/proc/${pid}/cmdline`)).split("\0");
  const main = words.findIndex((word) => word.endsWith("/src/cli/main.ts"));
  return main !== -1 && words[main + 1] === "start" ? words[main + 2] : undefined;
}

async function readText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}
