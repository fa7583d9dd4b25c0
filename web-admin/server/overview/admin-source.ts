import type { RegisteredServer, ServerList, ServerStatus } from "../../../src/admin-api/api.ts";
import { reasonOf } from "../../../src/errors/platform-error.ts";
import type { BalancerStatus } from "../../../src/load-balancer/api.ts";
import type { BalancerReading, ClusterReadings, ClusterSource, ServerReading } from "./readings.ts";

/** The part of a JSON client that a source needs. */
export interface StatusClient {
  get<T>(path: string): Promise<T>;
  close(): unknown;
}

export interface AdminSourceOptions {
  readonly adminUrls: readonly string[];
  readonly agentUrl?: string | undefined;
  /** Opens a client that accepts nobody but that role of the cluster. */
  readonly connect: (baseUrl: string, role: "server" | "load-balancer") => StatusClient;
  /** Servers that were known before, so that those that are down now have a name. */
  readonly known?: KnownServers;
}

/** Admin URL -> the server as the ODB's list had it. Outlives a source. */
export type KnownServers = Map<string, RegisteredServer>;

/**
 * Looks at a cluster over its admin APIs and the balancer's agent. Servers are learnt from any
 * admin API that answers and then each is asked itself; all in parallel, so that one that hangs
 * holds nobody up for longer than the client's own limit.
 */
export function createAdminSource(
  { adminUrls, agentUrl, connect, known = new Map() }: AdminSourceOptions,
): ClusterSource {
  const clients = new Map<string, StatusClient>();
  const names = new Map<string, string>();
  const clientOf = (url: string, role: "server" | "load-balancer"): StatusClient => {
    const client = clients.get(url) ?? connect(url, role);
    clients.set(url, client);
    return client;
  };
  let informant = originOf(adminUrls[0] ?? "");

  const readServer = async (adminUrl: string): Promise<ServerReading> => {
    try {
      const status = await clientOf(adminUrl, "server").get<ServerStatus>("/v1/status");
      names.set(adminUrl, status.name);
      return { name: status.name, adminUrl, status };
    } catch (error) {
      const name = names.get(adminUrl) ?? adminUrl.replace(/^https?:\/\//, "");
      return { name, adminUrl, problem: reasonOf(error) };
    }
  };

  const readList = async (): Promise<ServerList | undefined> => {
    try {
      return await clientOf(informant, "server").get<ServerList>("/v1/servers");
    } catch {
      return undefined; // why is told by the status of that server, or by its ODB's
    }
  };

  const readListElsewhere = (readings: readonly ServerReading[]) => {
    const next = nextInformant(readings, informant);
    if (next === undefined) return undefined;
    informant = next;
    return readList();
  };

  const look = async (): Promise<ClusterReadings> => {
    const urls = unique([...adminUrls, ...known.keys()]);
    const [answer, first, balancer] = await Promise.all([
      readList(),
      Promise.all(urls.map(readServer)),
      agentUrl === undefined ? undefined : readBalancer(agentUrl, clientOf),
    ]);
    const list = answer ?? await readListElsewhere(first);
    if (list !== undefined) learn(known, list.servers);
    const more = unique([...known.keys()]).filter((url) => !urls.includes(url));
    const readings = [...first, ...await Promise.all(more.map(readServer))];
    for (const [url, { name }] of known) names.set(url, name);
    return {
      at: new Date().toISOString(),
      servers: mergeServers(readings, known),
      ...(list === undefined ? {} : { revision: list.revision }),
      ...(balancer === undefined ? {} : { balancer }),
    };
  };

  return {
    look,
    close() {
      for (const client of clients.values()) void client.close();
      clients.clear();
    },
  };
}

async function readBalancer(
  agentUrl: string,
  clientOf: (url: string, role: "load-balancer") => StatusClient,
): Promise<BalancerReading> {
  try {
    const status = await clientOf(agentUrl, "load-balancer").get<BalancerStatus>("/v1/status");
    return { agentUrl, status };
  } catch (error) {
    return { agentUrl, problem: reasonOf(error) };
  }
}

function learn(known: KnownServers, servers: readonly RegisteredServer[]): void {
  known.clear();
  for (const server of servers) known.set(originOf(server.adminUrl), server);
}

/** Another server that answers, in turn, so that one whose ODB is cut off is not asked for ever. */
function nextInformant(readings: readonly ServerReading[], before: string): string | undefined {
  const answering = readings.filter(({ status }) => status !== undefined)
    .map(({ adminUrl }) => adminUrl);
  const next = answering[(answering.indexOf(before) + 1) % answering.length];
  return next === before ? undefined : next;
}

/** One reading a name: a server may be reached under a configured and a registered address. */
function mergeServers(
  readings: readonly ServerReading[],
  known: KnownServers,
): readonly ServerReading[] {
  const registered = new Map([...known.values()].map((server) => [server.name, server]));
  const byName = new Map<string, ServerReading>();
  for (const reading of readings) {
    const name = known.get(reading.adminUrl)?.name ?? reading.name;
    if (reading.status === undefined && byName.get(name)?.status !== undefined) continue;
    const row = registered.get(name);
    byName.set(name, { ...reading, name, ...(row === undefined ? {} : { registered: row }) });
  }
  return [...byName.values()];
}

function unique(urls: readonly string[]): readonly string[] {
  return [...new Set(urls.map(originOf))];
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}
