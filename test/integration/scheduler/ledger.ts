import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OdbLink } from "../../../src/cluster/odb-link.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { NewRun, RunDetail, RunTerms } from "../../../src/odb/job-types.ts";
import type { LeaseHolder, LeaseProof } from "../../../src/odb/lease-types.ts";
import { openOdb } from "../../../src/odb/open.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";

export const terms: RunTerms = {
  service: "a.b",
  input: { n: 1 },
  overlap: "allow",
  missed: "all",
  graceMs: 60_000,
  timeoutMs: 30_000,
  attemptsMax: 1,
  retryMs: 1,
  retryLost: false,
};

/** A SQLite ODB with the cluster `demo`, and ways to fill and read its ledger. */
export interface TestLedger {
  readonly file: string;
  readonly link: OdbLink;
  /** Takes the lease `scheduler` for a server. */
  lead(server: string): Promise<LeaseProof>;
  /** Plans runs that are due now: each of a job and a time of its own. */
  plan(proof: LeaseProof, count: number, some?: Partial<RunTerms>): Promise<void>;
  /** One run that is due now; resolves to its id. */
  create(some?: Partial<RunTerms>, job?: string): Promise<string>;
  /** The run once it has ended. */
  ended(id: string): Promise<RunDetail>;
  stop(): Promise<void>;
}

export async function openLedger(): Promise<TestLedger> {
  const directory = await mkdtemp(join(tmpdir(), "dragoman-ledger-"));
  const file = join(directory, "odb.db");
  const odb = await openOdb({ url: `sqlite://${file}` });
  await odb.migrate();
  await odb.createCluster("demo", { keyCheck: "" });
  const link = new OdbLink({ odb, cluster: "demo", logger: silentLogger });
  let jobs = 0;
  const put = (names: readonly string[]) =>
    link.use((store) =>
      store.change(
        names.map((name) => ({
          op: "put",
          kind: "Job",
          name,
          spec: { active: true },
          references: [],
        })),
        { by: "operator/test" },
      )
    );
  return {
    file,
    link,
    async lead(server) {
      const holder = holderOf(server);
      const held = await link.use((store) =>
        store.acquireLease({ name: "scheduler", holder, ttlMs: 60_000 })
      );
      if (held === undefined) throw new Error("The lease is another server's");
      return { ...held, holder };
    },
    async plan(proof, count, some = {}) {
      const now = await link.use((store) => store.databaseTime());
      const runs = Array.from({ length: count }, (_, index): NewRun => ({
        job: `job-${++jobs}`,
        plannedAt: new Date(Date.parse(now) + index).toISOString(),
        dueAt: now,
        state: "planned",
        terms: { ...terms, ...some },
      }));
      await put(runs.map(({ job }) => job));
      await link.use((store) => store.writePlan(proof, { runs, progress: [], dropPlanned: [] }));
    },
    async create(some = {}, job = `job-${++jobs}`) {
      await put([job]);
      return await link.use((store) =>
        store.createRun({ job, terms: { ...terms, ...some }, by: "operator/test" })
      );
    },
    async ended(id) {
      const run = await poll(async () => {
        const found = await link.use((store) => store.getRun(id)).catch(() => undefined);
        return found === undefined || found.finishedAt === null ? undefined : found;
      }, { timeoutMs: 20_000, intervalMs: 10 });
      if (run === undefined) throw new Error(`Run ${id} never ended`);
      return run;
    },
    async stop() {
      await link.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** One life of a server. */
export function holderOf(server: string): LeaseHolder {
  return { server, incarnation: randomUUID() };
}
