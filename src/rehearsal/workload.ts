import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApplyResult, DeployResult } from "../admin-api/api.ts";
import { apiVersion, type ObjectDocument } from "../catalog/kind.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { generatePassword } from "../lib/random-secret.ts";
import { bundleSource, stopBundler } from "../server/deploy/bundle.ts";
import type { Asked, RehearsalCluster } from "./cluster.ts";
import type { TickingJob } from "./history/ticks.ts";

/** Of the file that a rehearsal deploys. */
export const serviceFile = "dragoman-rehearsal.ts";

/** Where the load goes. */
export const orderPath = "/dragoman-rehearsal/orders";

/** Where requests go that cost as much computing as their `rounds` say. */
export const workPath = "/dragoman-rehearsal/work";

/** Longest time that a request of the load may take in the cluster. */
export const channelTimeoutMs = 15_000;

/** What the load is answered. */
export interface OrderAnswer {
  readonly id: string;
  readonly total: number;
  /** Of the deployment that ran it. */
  readonly version: number;
  /** The wall clock of the worker, in milliseconds since 1970. */
  readonly at: number;
}

/** What a rehearsal brings to a cluster and takes away again. */
export interface Workload {
  /** Where the services note what they execute. */
  readonly executions: string;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly jobs: readonly TickingJob[];
  /** Deploys the services anew, through any server; every answer carries the version. */
  deploy(version: number, through?: Asked): Promise<DeployResult>;
  /** Deletes the jobs, so that nothing more of them is planned. */
  endJobs(): Promise<void>;
  /** Takes objects, services and notes away. */
  remove(options: { readonly fromCluster: boolean }): Promise<void>;
}

/** Deploys services of its own, and makes the objects that the load and the ticks need. */
export async function installWorkload(
  cluster: RehearsalCluster,
  { jobs: jobCount, tickMs }: { readonly jobs: number; readonly tickMs: number },
): Promise<Workload> {
  const executions = await mkdtemp(join(tmpdir(), "dragoman-executed-"));
  const key = generatePassword();
  // The scheduler remembers what jobs of earlier rehearsals did.
  const series = randomBytes(3).toString("hex");
  const jobs = Array.from({ length: jobCount }, (_, index) => ({
    name: `dragoman-rehearsal.${series}.tick-${index + 1}`,
    everyMs: tickMs,
  }));
  const deploy = (version: number, through: Asked = cluster) =>
    deploySource(through, renderServices(executions, version));
  const objects = [...channelObjects(key), ...jobs.map(jobObject)];
  let jobsLeft = jobs;
  const endJobs = async () => {
    await deleteObjects(cluster, jobsLeft.map(jobObject));
    jobsLeft = [];
  };
  requireLive(await deploy(1));
  await applyObjects(cluster, objects);
  return {
    executions,
    headers: { "X-Rehearsal-Key": key },
    jobs,
    deploy,
    endJobs,
    remove: async ({ fromCluster }) => {
      await stopBundler();
      if (fromCluster) {
        await endJobs();
        await deleteObjects(cluster, channelObjects(key));
        await deleteSource(cluster, serviceFile);
      }
      await rm(executions, { recursive: true, force: true });
    },
  };
}

/** Brings a source text to all servers; a rejected deployment is a result. */
export async function deploySource(
  cluster: Asked,
  source: string,
  name = serviceFile,
): Promise<DeployResult> {
  const bundle = await bundleSource({ name, source });
  return await cluster.ask((client) =>
    client.post<DeployResult>("/v1/deployments", { files: [bundle] }, { timeoutMs: 60_000 })
  );
}

/** Takes a deployment away. */
export async function deleteSource(cluster: Asked, name: string): Promise<void> {
  await cluster.ask((client) => client.delete(`/v1/deployments/${name}`));
}

/** Creates or changes objects. */
export async function applyObjects(
  cluster: Asked,
  objects: readonly ObjectDocument[],
): Promise<ApplyResult> {
  return await cluster.ask((client) =>
    client.post<ApplyResult>("/v1/apply", { objects }, { timeoutMs: 60_000 })
  );
}

async function deleteObjects(
  cluster: RehearsalCluster,
  objects: readonly ObjectDocument[],
): Promise<void> {
  if (objects.length === 0) return;
  const gone = objects.map(({ kind, name }) => ({ kind, name }));
  await cluster.ask((client) => client.post("/v1/apply", { objects: [], delete: gone }));
}

function requireLive({ outcome, servers }: DeployResult): void {
  if (outcome !== "rejected") return;
  const reason = servers.find((server) => server.reason !== undefined)?.reason ?? "unknown";
  throw new PlatformError("CLI_DEPLOY_REJECTED", { reason });
}

function channelObjects(key: string): readonly ObjectDocument[] {
  return [
    {
      apiVersion,
      kind: "ApiKey",
      name: "dragoman-rehearsal",
      spec: { header: "X-Rehearsal-Key", key },
    },
    channelObject("dragoman-rehearsal.orders"),
    restChannel("dragoman-rehearsal.work", {
      path: workPath,
      methods: ["POST"],
      service: "dragoman-rehearsal.work",
      description: "A rehearsal's",
    }),
  ];
}

/** The channel of the load; a description tells one change of it from another. */
export function channelObject(name: string, description = "A rehearsal's"): ObjectDocument {
  return restChannel(name, {
    path: orderPath,
    methods: ["GET", "POST"],
    service: "dragoman-rehearsal.order",
    description,
  });
}

function restChannel(name: string, spec: ObjectDocument["spec"]): ObjectDocument {
  return {
    apiVersion,
    kind: "RestChannel",
    name,
    spec: { ...spec, security: ["dragoman-rehearsal"], timeoutMs: channelTimeoutMs },
  };
}

function jobObject({ name, everyMs }: TickingJob): ObjectDocument {
  return {
    apiVersion,
    kind: "Job",
    name,
    spec: {
      service: "dragoman-rehearsal.tick",
      every: `${everyMs}ms`,
      // Runs that a killed server held must not keep later ones waiting.
      overlap: "allow",
      missed: "all",
      missedMax: 1_000,
      timeoutMs: 10_000,
      attemptsMax: 5,
      retryMs: 100,
      retryLost: true,
    },
  };
}

/** Services that note each execution with one write to a file of their own process. */
function renderServices(executions: string, version: number): string {
  return `import { openSync, writeSync } from "node:fs";
import { defineService, z } from "dragoman";

const version = ${version};
let file: number | undefined;

function note(line: string): void {
  file ??= openSync(\`${executions}/\${process.pid}.executed\`, "a");
  writeSync(file, line + "\\n");
}

export const order = defineService({
  name: "dragoman-rehearsal.order",
  input: z.object({ id: z.uuid(), amount: z.int().min(1), note: z.string().max(200).optional() }),
  output: z.object({ id: z.uuid(), total: z.number(), version: z.int(), at: z.int() }),
  handle({ input }) {
    note(\`request \${input.id}\`);
    return { id: input.id, total: input.amount * 1.2, version, at: Date.now() };
  },
});

export const work = defineService({
  name: "dragoman-rehearsal.work",
  input: z.object({ id: z.uuid(), rounds: z.int().min(1).max(1_000_000_000) }),
  output: z.object({ id: z.uuid(), result: z.int() }),
  handle({ input }) {
    note(\`request \${input.id}\`);
    let result = 1;
    for (let round = 0; round < input.rounds; round++) result = Math.imul(result ^ round, 31) + 7;
    return { id: input.id, result };
  },
});

export const tick = defineService({
  name: "dragoman-rehearsal.tick",
  handle({ request }) {
    note(\`tick \${request.cid}\`);
    return {};
  },
});
`;
}
