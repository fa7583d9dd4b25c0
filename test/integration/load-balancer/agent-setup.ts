import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority, installTls, issueCertificate } from "../../../src/ca/index.ts";
import { createComponent } from "../../../src/config/component.ts";
import type { RunningComponent } from "../../../src/config/running-component.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { type AgentClient, createAgentClient } from "../../../src/load-balancer/client.ts";
import { createLoadBalancer } from "../../../src/load-balancer/create.ts";
import { runLoadBalancer } from "../../../src/load-balancer/run.ts";
import type { Identity, TlsMaterial } from "../../../src/mtls/identity.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { type HttpBackend, startHttpBackend } from "../../peers/http-backend.ts";

const cluster = "demo";

/** A load balancer with its authority, as `create` and `ca` commands make it; gone after `close`. */
export class AgentSetup implements AsyncDisposable {
  readonly root: string;
  readonly name: string;
  readonly port: number;
  readonly agentPort: number;
  readonly #clients: AgentClient[] = [];
  readonly #backends: HttpBackend[] = [];
  #running: RunningComponent | undefined;

  private constructor(
    root: string,
    name: string,
    ports: { readonly http: number; readonly agent: number },
  ) {
    this.root = root;
    this.name = name;
    this.port = ports.http;
    this.agentPort = ports.agent;
  }

  /** `beside`: a second balancer of the same cluster, with the same authority. */
  static async open(
    engine: "auto" | "haproxy" | "embedded",
    { beside, name = "balancer" }: { readonly beside?: AgentSetup; readonly name?: string } = {},
  ): Promise<AgentSetup> {
    const root = beside?.root ?? await mkdtemp(join(tmpdir(), "dragoman-agent-"));
    const ports = { http: await findFreePort(), agent: await findFreePort() };
    const setup = new AgentSetup(root, name, ports);
    if (beside === undefined) await createAuthority(setup.ca, {});
    await createLoadBalancer(setup.directory, {
      name,
      cluster,
      environment: "development",
      engine,
      http: { host: "127.0.0.1", port: ports.http },
      agent: { host: "127.0.0.1", port: ports.agent },
    });
    const identity: Identity = { cluster, role: "load-balancer", name };
    await installTls(await issueCertificate(setup.ca, { identity, hosts: [] }), setup.directory);
    return setup;
  }

  get directory(): string {
    return join(this.root, this.name);
  }

  get agentUrl(): string {
    return `https://127.0.0.1:${this.agentPort}`;
  }

  /** Adds lines to config.yaml. */
  async configure(lines: string): Promise<void> {
    await appendFile(join(this.directory, "config.yaml"), `${lines}\n`);
  }

  get ca(): string {
    return join(this.root, "ca");
  }

  async start(): Promise<RunningComponent> {
    return this.#running = await runLoadBalancer(this.directory, { logger: silentLogger });
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** A client with a certificate of the cluster's authority. */
  async client(
    role: Identity["role"],
    name: string,
    { of = cluster }: { readonly of?: string } = {},
  ): Promise<AgentClient> {
    const issued = await issueCertificate(this.ca, {
      identity: { cluster: of, role, name },
      hosts: [],
    });
    const [cert, key, ca] = await Promise.all(
      [issued.certPath, issued.keyPath, issued.caPath].map((file) => readFile(file, "utf8")),
    );
    const tls: TlsMaterial = { cert: cert!, key: key!, ca: ca! };
    const url = this.agentUrl;
    const client = createAgentClient({ url, tls, cluster });
    this.#clients.push(client);
    return client;
  }

  async backend(name: string): Promise<HttpBackend> {
    const backend = await startHttpBackend({ name, ledger: join(this.root, "ledger") });
    this.#backends.push(backend);
    return backend;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.stop();
    await Promise.all(this.#backends.map((backend) => backend.kill()));
    await rm(this.root, { recursive: true, force: true });
  }
}

/** An operator's environment beside a balancer, for the command line; returns its directory. */
export async function createEnvironment(
  { root, ca }: AgentSetup,
  agentUrls: readonly string[],
): Promise<string> {
  const directory = await mkdtemp(join(root, "environment-"));
  await createComponent(directory, {
    component: "environment",
    config: {
      cluster,
      environment: "development",
      components: [],
      adminUrls: ["https://127.0.0.1:1"],
      agentUrl: agentUrls,
    },
  });
  const identity = { cluster, role: "operator", name: "ana" } as const;
  await installTls(await issueCertificate(ca, { identity, hosts: [] }), directory);
  return directory;
}
