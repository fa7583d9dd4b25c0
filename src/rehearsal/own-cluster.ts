import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { defaultPorts } from "../config/schemas.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import { isPortFree } from "../lib/ports.ts";
import { parseOdbUrl } from "../odb/url.ts";
import { commandFailed, RehearsalCluster, type RunCommand } from "./cluster.ts";
import { type FaultProxy, openFaultProxy } from "./faults/tcp-proxy.ts";

/** The ways of one server to what it depends on, each through a proxy that can break it. */
export interface ServerLinks {
  /** Absent with SQLite, which is no network service. */
  readonly odb?: FaultProxy;
  readonly kvdb?: FaultProxy;
}

/** A cluster that was made for a rehearsal. */
export interface OwnCluster {
  readonly cluster: RehearsalCluster;
  /** By server. */
  readonly links: ReadonlyMap<string, ServerLinks>;
  /** Ends it; with `keep` it is left running, its servers started anew without the proxies. */
  end(options: { readonly keep: boolean }): Promise<void>;
}

export interface OwnClusterOptions {
  readonly run: RunCommand;
  readonly servers: number;
  readonly workers: number;
  /** Undefined: SQLite. The password comes from the environment, as with quickstart create. */
  readonly odbUrl: string | undefined;
}

/** Makes and starts a cluster in a new directory. Throws REHEARSAL_COMMAND; nothing is left then. */
export async function startOwnCluster(options: OwnClusterOptions): Promise<OwnCluster> {
  const { run } = options;
  const parent = await mkdtemp(join(tmpdir(), "dragoman-rehearsal-"));
  const directory = join(parent, "cluster");
  const links = new Map<string, ServerLinks>();
  const remove = async () => {
    await run(["quickstart", "stop", directory]);
    for (const { odb, kvdb } of links.values()) await Promise.all([odb?.close(), kvdb?.close()]);
    await rm(parent, { recursive: true, force: true });
  };
  try {
    await succeed(run, await creationWords(directory, options));
    for (const server of serverNames(options)) {
      links.set(server, await linkServer(join(directory, server)));
    }
    await succeed(run, ["quickstart", "start", directory]);
    const cluster = await RehearsalCluster.open(directory, run);
    return {
      cluster,
      links,
      end: async ({ keep }) => {
        cluster.close();
        if (keep) await unlink(directory, options);
        else await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function creationWords(
  directory: string,
  { servers, workers, odbUrl }: OwnClusterOptions,
): Promise<readonly string[]> {
  return [
    "quickstart",
    "create",
    directory,
    "--port-offset",
    String(await findPortOffset(servers)),
    "--servers",
    String(servers),
    "--workers",
    String(workers),
    ...(odbUrl === undefined ? [] : ["--odb-url", odbUrl]),
  ];
}

function serverNames({ servers }: OwnClusterOptions): readonly string[] {
  return Array.from({ length: servers }, (_, index) => `server${index + 1}`);
}

async function succeed(run: RunCommand, words: readonly string[]): Promise<void> {
  const outcome = await run(words);
  if (outcome.exitCode !== 0) throw commandFailed(words, outcome);
}

interface Addresses {
  odb: { url: string };
  kvdb?: { url: string };
}

/** Puts a proxy into each way of a server that is not started yet. */
async function linkServer(directory: string): Promise<ServerLinks> {
  const file = join(directory, "config.yaml");
  const original = await readFile(file, "utf8");
  const config: Addresses = parse(original); // quickstart has just written and validated it
  await writeFileAtomic(`${file}.direct`, original, { mode: 0o644 });
  const links: { odb?: FaultProxy; kvdb?: FaultProxy } = {};
  const odb = parseOdbUrl(config.odb.url);
  if (odb.dialect !== "sqlite") {
    links.odb = await openFaultProxy(odb);
    config.odb.url = through(config.odb.url, links.odb);
  }
  if (config.kvdb !== undefined) {
    const { hostname, port } = new URL(config.kvdb.url);
    links.kvdb = await openFaultProxy({ host: hostname, port: Number(port) });
    config.kvdb.url = through(config.kvdb.url, links.kvdb);
  }
  await writeFileAtomic(file, stringify(config), { mode: 0o644 });
  return links;
}

async function unlink(directory: string, options: OwnClusterOptions): Promise<void> {
  for (const server of serverNames(options)) {
    const file = join(directory, server, "config.yaml");
    await writeFileAtomic(file, await readFile(`${file}.direct`, "utf8"), { mode: 0o644 });
    await options.run(["restart", join(directory, server)]);
  }
}

function through(address: string, proxy: FaultProxy): string {
  const url = new URL(address);
  url.hostname = "127.0.0.1";
  url.port = String(proxy.port);
  return url.href;
}

/** A number that can be added to every port of a quickstart cluster: all of them are free. */
export async function findPortOffset(servers: number): Promise<number> {
  const { server, serverAdmin, ...single } = defaultPorts;
  const ports = [
    ...Object.values(single),
    ...Array.from({ length: servers }, (_, index) => [server + index, serverAdmin + index]).flat(),
  ];
  for (let tries = 0; tries < 50; tries++) {
    // Below the range from which the system takes ports for outgoing connections.
    const offset = 1_000 + Math.floor(Math.random() * 11_000);
    const free = await Promise.all(ports.map((port) => isPortFree(port + offset)));
    if (free.every(Boolean)) return offset;
  }
  throw new PlatformError("CLI_PORT_OFFSET", {
    use: "a cluster",
    port: "50 sets of ports",
    holder: "some process each time",
  });
}
