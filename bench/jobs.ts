import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";
import { poll } from "../src/lib/wait.ts";
import { percentile } from "../src/rehearsal/load/ledger.ts";
import { dragomanOk, type Quickstart, startQuickstart } from "../test/e2e/quickstart.ts";
import { startPostgresql } from "../test/peers/postgresql.ts";
import { startMariadb } from "../test/peers/mariadb.ts";
import mysql from "mysql2/promise";

const jobCount = 5_000;
const servers = 2;
/** For the jobs to be applied and planned. */
const leadMs = 20_000;

interface Run {
  readonly due_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly server: string | null;
}

/** An ODB, and a way to read the ledger that does not go through a server. */
interface Ledger {
  readonly name: string;
  /** Undefined: the SQLite file that quickstart makes. */
  readonly url: string | undefined;
  readonly password: string;
  read(query: string, quickstart: Quickstart): Promise<readonly Run[]>;
  stop(): Promise<void>;
}

/** How soon 5,000 jobs that are due in the same second have begun, and ended, on two servers. */
export async function benchJobs(): Promise<void> {
  console.log(`${jobCount} jobs due at one time, ${servers} servers, ms after that time\n`);
  console.log("ODB          begun p50  begun p99  begun all  ended all  runs by server");
  for (const open of [openSqlite, openPostgresql, openMariadb]) {
    const ledger = await open();
    try {
      console.log(await measure(ledger));
    } finally {
      await ledger.stop();
    }
  }
  console.log("");
}

async function measure(ledger: Ledger): Promise<string> {
  const words = ledger.url === undefined ? [] : ["--odb-url", ledger.url];
  await using quickstart = await startQuickstart(
    ["--servers", String(servers), "--workers", "1", ...words],
    { DRAGOMAN_ODB_PASSWORD: ledger.password },
  );
  const directory = await mkdtemp(join(tmpdir(), "dragoman-bench-jobs-"));
  try {
    await applyJobs(quickstart, directory);
    const runs = await allEnded(ledger, quickstart);
    return describeRuns(ledger.name, runs);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function applyJobs(quickstart: Quickstart, directory: string): Promise<void> {
  const service = join(directory, "bench-tick.ts");
  await writeFile(
    service,
    `import { defineService } from "dragoman";
export const tick = defineService({ name: "bench.tick", handle: () => 1 });
`,
  );
  await quickstart.run("deploy", service);
  const at = new Date(Math.ceil((Date.now() + leadMs) / 1_000) * 1_000).toISOString();
  const objects = Array.from({ length: jobCount }, (_, index) => ({
    apiVersion: "dragoman/v1",
    kind: "Job",
    name: `bench.tick-${index}`,
    spec: { service: "bench.tick", at },
  }));
  const file = join(directory, "jobs.json");
  await writeFile(file, objects.map((object) => JSON.stringify(object)).join("\n---\n"));
  await dragomanOk(["apply", "-f", file, "--env", quickstart.directory]);
}

async function allEnded(ledger: Ledger, quickstart: Quickstart): Promise<readonly Run[]> {
  const query = "select due_at, started_at, finished_at, server from job_run where state = 'ok'";
  const found = await poll(async () => {
    const runs = await ledger.read(query, quickstart);
    return runs.length >= jobCount ? runs : undefined;
  }, { timeoutMs: leadMs + 60_000, intervalMs: 2_000 });
  if (found === undefined) throw new Error("Not all runs have ended");
  return found;
}

function describeRuns(name: string, runs: readonly Run[]): string {
  const after = (time: (run: Run) => string | null) =>
    runs.map((run) => Date.parse(time(run) ?? "") - Date.parse(run.due_at)).sort((a, b) => a - b);
  const begun = after((run) => run.started_at);
  const ended = after((run) => run.finished_at);
  const figures = [percentile(begun, 0.5), percentile(begun, 0.99), begun.at(-1), ended.at(-1)];
  const shares = Map.groupBy(runs, ({ server }) => server);
  const spread = [...shares].map(([server, some]) => `${server} ${some.length}`).sort();
  return name.padEnd(13) + figures.map((ms) => String(ms).padEnd(11)).join("") + spread.join(", ");
}

function openSqlite(): Promise<Ledger> {
  return Promise.resolve({
    name: "SQLite",
    url: undefined,
    password: "",
    read(query, { directory }) {
      using file = new DatabaseSync(join(directory, "odb.db"), { readOnly: true });
      return Promise.resolve(file.prepare(query).all() as unknown as Run[]); // as selected
    },
    stop: () => Promise.resolve(),
  });
}

async function openPostgresql(): Promise<Ledger> {
  const peer = await startPostgresql();
  const url = await peer.createDatabase("bench");
  const client = new Client(connectionOf(url, peer.password));
  await client.connect();
  return {
    name: "PostgreSQL",
    url,
    password: peer.password,
    read: async (query) => (await client.query<Run>(query)).rows,
    async stop() {
      await client.end();
      await peer.stop();
    },
  };
}

async function openMariadb(): Promise<Ledger> {
  const peer = await startMariadb();
  const url = await peer.createDatabase("bench");
  const client = await mysql.createConnection(connectionOf(url, peer.password));
  return {
    name: "MariaDB",
    url,
    password: peer.password,
    read: async (query) => (await client.query(query))[0] as unknown as Run[], // as selected
    async stop() {
      await client.end();
      await peer.stop();
    },
  };
}

function connectionOf(url: string, password: string) {
  const { hostname: host, port, username: user, pathname } = new URL(url);
  return { host, port: Number(port), user, password, database: pathname.slice(1) };
}
