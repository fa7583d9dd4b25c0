import { join, resolve } from "node:path";
import type { ServerStatus } from "../admin-api/api.ts";
import { PeerClients } from "../admin-api/peer-clients.ts";
import { componentPaths, loadConfig, loadMarker } from "../config/component.ts";
import {
  type EnvironmentConfig,
  environmentConfigSchema,
  serverConfigSchema,
} from "../config/schemas.ts";
import { isPlatformError, PlatformError, reasonOf } from "../errors/platform-error.ts";
import { poll } from "../lib/wait.ts";
import { type AgentClient, createAgentClient } from "../load-balancer/client.ts";
import type { JsonClient } from "../mtls/client.ts";
import { loadTls } from "../mtls/tls-material.ts";
import type { LeaseRow, LeaseTerm } from "../odb/lease-types.ts";
import { type ProcessTree } from "./faults/processes.ts";

/** Runs one command line of dragoman in a process of its own, as a person does. */
export type RunCommand = (
  words: readonly string[],
  options?: RunOptions,
) => Promise<CommandOutcome>;

export interface RunOptions {
  /** Added to the environment of the command. */
  readonly env?: Readonly<Record<string, string>>;
  /** The program and arguments through which the command is run, such as `nsenter ...`. */
  readonly within?: readonly string[];
}

export interface CommandOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server of the cluster whose processes are on this machine. */
export interface LocalServer {
  readonly name: string;
  readonly directory: string;
  readonly adminUrl: string;
  readonly odbUrl: string;
}

/** Whoever of a cluster answers a question. */
export type Asked = Pick<RehearsalCluster, "ask">;

/** How long a cluster may take to be whole again after a fault is over. */
const recoveryLimitMs = 60_000;

/** The cluster of a rehearsal: what is asked of it, and how its parts are started and found. */
export class RehearsalCluster {
  readonly directory: string;
  readonly config: EnvironmentConfig;
  readonly servers: readonly LocalServer[];
  /** Of the (first) balancer; undefined where there is none. */
  readonly agent: AgentClient | undefined;
  readonly #run: RunCommand;
  readonly #clients: PeerClients;
  /** Servers that cannot answer, so that nobody waits for them. */
  readonly #away = new Set<string>();

  private constructor(parts: {
    readonly directory: string;
    readonly config: EnvironmentConfig;
    readonly servers: readonly LocalServer[];
    readonly run: RunCommand;
    readonly clients: PeerClients;
    readonly agent: AgentClient | undefined;
  }) {
    this.directory = parts.directory;
    this.config = parts.config;
    this.servers = parts.servers;
    this.#run = parts.run;
    this.#clients = parts.clients;
    this.agent = parts.agent;
  }

  /** Reads an environment and its servers on this machine. Throws CONFIG_*, MTLS_*. */
  static async open(directory: string, run: RunCommand): Promise<RehearsalCluster> {
    await loadMarker(directory, "environment");
    const config = await loadConfig(directory, environmentConfigSchema, {});
    const tls = await loadTls(directory);
    const parts = config.components.filter(({ component }) => component === "server");
    const servers = await Promise.all(
      parts.map((part) => loadServer(resolve(directory, part.directory))),
    );
    const { cluster } = config;
    const [agentUrl] = [config.agentUrl].flat();
    return new RehearsalCluster({
      directory,
      config,
      servers,
      run,
      clients: new PeerClients(tls, cluster),
      agent: agentUrl === undefined
        ? undefined
        : createAgentClient({ url: agentUrl, tls, cluster }),
    });
  }

  /** Runs a command line; throws REHEARSAL_COMMAND with what it said when it fails. */
  async command(words: readonly string[], options: RunOptions = {}) {
    const outcome = await this.#run(words, options);
    if (outcome.exitCode === 0) return outcome;
    throw commandFailed(words, outcome);
  }

  client({ adminUrl }: LocalServer): JsonClient {
    return this.#clients.get(adminUrl);
  }

  /** While a server is away, nothing is asked of it. */
  setAway({ name }: LocalServer, isAway: boolean): void {
    if (isAway) this.#away.add(name);
    else this.#away.delete(name);
  }

  get present(): readonly LocalServer[] {
    return this.servers.filter(({ name }) => !this.#away.has(name));
  }

  /** Asks the servers that are present in turn; throws what the last one's failure was. */
  async ask<T>(use: (client: JsonClient) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const server of this.present) {
      try {
        return await use(this.client(server));
      } catch (error) {
        // A server's own answer is an answer; only silence is a reason to ask another one.
        if (!isPlatformError(error) || !error.code.startsWith("MTLS_")) throw error;
        failure = error;
      }
    }
    throw failure ?? new PlatformError("REHEARSAL_NO_SERVERS", {
      directory: this.directory,
      found: "no server that answers",
      needed: "one",
    });
  }

  /** A way to ask one server and no other. */
  through(server: LocalServer): Asked {
    return { ask: (use) => use(this.client(server)) };
  }

  async status(server: LocalServer): Promise<ServerStatus> {
    return await this.client(server).get<ServerStatus>("/v1/status", { timeoutMs: 3_000 });
  }

  /** Supervisor and workers of a server that answers. */
  async processesOf(server: LocalServer): Promise<ProcessTree> {
    const { pid, workers } = await this.status(server);
    return { pid, others: workers.map((worker) => worker.pid) };
  }

  /** Main process of any component of the environment, such as `kvdb`; undefined: it is not here. */
  async processOf(component: string): Promise<ProcessTree | undefined> {
    const { stdout } = await this.#run(["status", this.directory, "-o", "json"]);
    const parsed: { readonly components?: readonly { name: string; pid: number | null }[] } = JSON
      .parse(stdout);
    const pid = parsed.components?.find(({ name }) => name === component)?.pid;
    return pid === undefined || pid === null ? undefined : { pid, others: [] };
  }

  directoryOf(component: string): string {
    const part = this.config.components.find(({ name }) => name === component);
    return resolve(this.directory, part?.directory ?? component);
  }

  /** The lease of the scheduler as the ODB has it; undefined: nobody has ever held it. */
  async schedulerLease(): Promise<LeaseRow | undefined> {
    const leases = await this.ask((client) =>
      client.get<readonly LeaseRow[]>("/v1/leases", { timeoutMs: 3_000 })
    );
    return leases.find(({ name }) => name === "scheduler");
  }

  /** The scheduler's terms, newest first. */
  async schedulerTerms(): Promise<readonly LeaseTerm[]> {
    return await this.ask((client) => client.get("/v1/leases/history?name=scheduler&limit=200"));
  }

  /** The server that leads right now, waited for. Throws REHEARSAL_NOT_RECOVERED. */
  async leader(): Promise<{ readonly server: LocalServer; readonly epoch: number }> {
    const found = await poll(async () => {
      const lease = await this.schedulerLease();
      if (lease?.state !== "held") return undefined;
      const server = this.servers.find(({ name }) => name === lease.server);
      return server && { server, epoch: lease.epoch };
    }, { timeoutMs: 20_000, intervalMs: 100 });
    return found ?? notRecovered("no server on this machine leads", 20_000);
  }

  /**
   * Waits until somebody holds the scheduler's lease with a higher epoch, and says who and after
   * how long, a look each 50 ms; undefined after 30 s.
   */
  async nextLeader(
    epoch: number,
  ): Promise<
    { readonly server: string; readonly epoch: number; readonly tookMs: number } | undefined
  > {
    const began = performance.now();
    return await poll(async () => {
      const lease = await this.schedulerLease().catch(() => undefined);
      if (lease?.state !== "held" || lease.epoch <= epoch) return undefined;
      return { server: lease.server, epoch: lease.epoch, tookMs: performance.now() - began };
    }, { timeoutMs: 30_000, intervalMs: 50 });
  }

  /** Starts a component that is stopped or was killed, and waits until it answers. */
  async start(component: string, options: RunOptions = {}): Promise<void> {
    await this.command(["start", this.directoryOf(component)], options);
  }

  async stop(component: string): Promise<void> {
    await this.command(["stop", this.directoryOf(component)]);
  }

  /**
   * Resolves with how long it took until all servers are up at the newest revision and take
   * traffic from the balancer. Throws REHEARSAL_NOT_RECOVERED, naming who is not.
   */
  async recovered(): Promise<number> {
    const began = performance.now();
    let reason: string | undefined = "nobody was asked";
    const whole = await poll(async () => {
      reason = await this.#whatIsWrong();
      return reason === undefined || undefined;
    }, { timeoutMs: recoveryLimitMs, intervalMs: 100 });
    if (whole !== true) return notRecovered(reason ?? "unknown", recoveryLimitMs);
    return performance.now() - began;
  }

  close(): void {
    this.#clients.close();
    this.agent?.close();
  }

  async #whatIsWrong(): Promise<string | undefined> {
    const statuses: ServerStatus[] = [];
    for (const server of this.servers) {
      try {
        const status = await this.status(server);
        if (status.state !== "up") return `${server.name} is ${status.state}`;
        if (status.odb.state === "down") return `${server.name} does not reach its ODB`;
        statuses.push(status);
      } catch (error) {
        return `${server.name}: ${reasonOf(error)}`;
      }
    }
    // One that was cut off may not know yet that there is anything newer.
    const newest = Math.max(...statuses.map(({ clusterRevision }) => clusterRevision));
    const behind = statuses.find(({ revision }) => revision !== newest);
    return behind ? `${behind.name} is behind the newest revision` : await this.#whoIsOut();
  }

  async #whoIsOut(): Promise<string | undefined> {
    if (this.agent === undefined) return undefined;
    const { servers } = await this.agent.status();
    const out = this.servers.find(({ name }) =>
      servers.find((server) => server.name === name)?.state !== "up"
    );
    return out && `the balancer sends nothing to ${out.name}`;
  }
}

/** How an error says that a command line failed. */
export function commandFailed(words: readonly string[], outcome: CommandOutcome): PlatformError {
  const lines = (outcome.stderr.trim() || outcome.stdout.trim()).split("\n");
  // What a command says of its failure comes after what it says of its progress.
  const reason = lines.find((line) => line.startsWith("Error: ")) ?? lines[0];
  return new PlatformError("REHEARSAL_COMMAND", {
    command: words.slice(0, 2).join(" "),
    exitCode: outcome.exitCode,
    reason: reason?.replace(/^Error: /, "") || "it said nothing",
  }, { details: lines.slice(0, 10) });
}

function notRecovered(reason: string, limitMs: number): never {
  throw new PlatformError("REHEARSAL_NOT_RECOVERED", { seconds: limitMs / 1_000, reason });
}

async function loadServer(directory: string): Promise<LocalServer> {
  const { name, admin, odb } = await loadConfig(directory, serverConfigSchema);
  return {
    name,
    directory: join(componentPaths(directory).root),
    adminUrl: `https://${admin.host}:${admin.port}`,
    odbUrl: odb.url,
  };
}
