import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type {
  JobDetail,
  JobView,
  LeaseTermView,
  LeaseView,
  RunDetail,
  RunView,
} from "../../src/admin-api/api.ts";
import type { ClusterSummary } from "../../src/cli/cluster/summary.ts";
import { poll } from "../../src/lib/wait.ts";
import { dragomanOk, type Quickstart, startQuickstart } from "./quickstart.ts";

const waitMs = 40_000;

let cluster: Quickstart;
/** Every run of a service appends a line here: job, cid, server. */
let ledger: string;

before(async () => {
  cluster = await startQuickstart();
  ledger = join(cluster.directory, "ledger.txt");
  await writeFile(ledger, "");
  const file = join(cluster.directory, "ticks.ts");
  await writeFile(file, source());
  const deployed = await cluster.run("deploy", file);
  assert.equal(deployed.exitCode, 0, deployed.stderr);
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

/** Both write down that they run; `tick.gate` waits until a file says that it may end. */
function source(): string {
  return `import { appendFileSync, existsSync } from "node:fs";
import { defineService, z } from "dragoman";
const note = (job: string, cid: string, server: string) =>
  appendFileSync(${JSON.stringify(ledger)}, job + " " + cid + " " + server + "\\n");
export const note1 = defineService({
  name: "tick.note", input: z.any(),
  handle({ input, request, server }) {
    note(request.channel.name, request.cid, server);
    return { given: input };
  },
});
export const later = defineService({
  name: "tick.later", input: z.any(),
  async handle({ schedule, time }) {
    const soon = await schedule.after(300, "tick.note", { n: 1 });
    const at = await schedule.at(new Date(time.now().getTime() + 300), "tick.note", { n: 2 });
    const never = await schedule.after(2_000, "tick.note", { n: 3 });
    const taken = await schedule.cancel(never.id);
    return { soon: soon.id, at: at.id, never: never.id, taken };
  },
});
export const gate = defineService({
  name: "tick.gate", input: z.object({ until: z.string() }),
  async handle({ input, request, server, signal }) {
    note(request.channel.name, request.cid, server);
    while (!existsSync(input.until)) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },
});
`;
}

interface Executed {
  readonly job: string;
  readonly cid: string;
  readonly server: string;
}

/** What really ran. */
async function executed(job: string): Promise<readonly Executed[]> {
  const lines = (await readFile(ledger, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => line.split(" "))
    .map(([name = "", cid = "", server = ""]) => ({ job: name, cid, server }))
    .filter((line) => line.job === job);
}

async function apply(jobs: Readonly<Record<string, unknown>>): Promise<void> {
  const file = join(cluster.directory, "jobs.yaml");
  const documents = Object.entries(jobs).map(([name, spec]) =>
    JSON.stringify({ apiVersion: "dragoman/v1", kind: "Job", name, spec })
  );
  await writeFile(file, documents.join("\n---\n"));
  const applied = await cluster.run("apply", "-f", file);
  assert.equal(applied.exitCode, 0, applied.stderr);
}

async function ok(...args: string[]): Promise<string> {
  const result = await cluster.run(...args);
  assert.equal(result.exitCode, 0, result.stderr);
  return result.stdout;
}

const history = (...args: string[]) =>
  cluster.json<readonly RunView[]>("job", "history", "--limit", "1000", ...args);

async function until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const found = await poll(probe, { timeoutMs: waitMs, intervalMs: 200 });
  assert.ok(found !== undefined, `not within ${waitMs} ms: ${what}`);
  return found;
}

const ranAtLeast = (job: string, count: number) =>
  until(`${count} runs of ${job}`, async () => {
    const lines = await executed(job);
    return lines.length >= count ? lines : undefined;
  });

async function leader(): Promise<LeaseView | undefined> {
  const leases = await cluster.json<readonly LeaseView[]>("lease", "list");
  return leases.find(({ name, state }) => name === "scheduler" && state === "held");
}

/** Kills a server with its workers, as when its machine loses power. */
async function killServer(name: string): Promise<void> {
  const { pid } = (await cluster.components()).find((component) => component.name === name)!;
  const { servers } = await cluster.json<ClusterSummary>("status");
  const server = servers.find((candidate) => "name" in candidate && candidate.name === name);
  assert.ok(server !== undefined && "workers" in server, `${name} does not answer`);
  for (const each of [pid!, ...server.workers.map((worker) => worker.pid)]) {
    process.kill(each, "SIGKILL");
  }
}

const startServer = (name: string) => dragomanOk(["start", join(cluster.directory, name)]);

function gate(name: string): string {
  return join(cluster.directory, `gate-${name}`);
}

describe("Jobs", () => {
  it("of a file run: intervals, cron expressions, and one-time ones that are done then", async () => {
    const at = new Date(Date.now() + 3_000).toISOString();
    await apply({
      "file.interval": { service: "tick.note", every: "500ms" },
      "file.cron": { service: "tick.note", cron: "* * * * * *", timeZone: "Europe/Vienna" },
      "file.once": { service: "tick.note", at, deactivateWhenDone: true, input: { n: 1 } },
    });

    await ranAtLeast("file.interval", 4);
    await ranAtLeast("file.cron", 2);
    await until("file.once to be inactive", async () => {
      const jobs = await cluster.json<readonly JobView[]>("job", "list");
      return jobs.find(({ name, state }) => name === "file.once" && state === "inactive");
    });
    const [once, ...more] = await history("file.once");
    const run = await cluster.json<RunDetail>("job", "history", "--run", once!.id);
    const table = await ok("job", "list");
    await ok("delete", "Job", "file.interval", "-y");
    await ok("delete", "Job", "file.cron", "-y");

    assert.deepEqual([run.state, run.plannedAt, run.output], ["ok", at, { given: { n: 1 } }]);
    assert.deepEqual([more, (await executed("file.once")).length], [[], 1]);
    assert.match(table, /file\.cron +cron \* \* \* \* \* \* in Europe\/Vienna +tick\.note +active/);
  });

  it("run by hand, pause and resume, and say in a sentence what they are up to", async () => {
    await apply({ "hand.job": { service: "tick.note", every: "1s", input: { from: "spec" } } });
    await ranAtLeast("hand.job", 1);

    await ok("job", "pause", "hand.job");
    const paused = await ok("job", "explain", "hand.job");
    const output = JSON.parse(
      await ok("job", "run", "hand.job", "--wait", "--input", '{"from":"hand"}'),
    );
    const none = await ok("job", "next", "hand.job");
    const planned = await history("hand.job", "--state", "planned");
    await ok("job", "resume", "hand.job");
    const before = (await executed("hand.job")).length;
    await ranAtLeast("hand.job", before + 1);
    const next = await cluster.json<{ readonly times: readonly string[] }>(
      "job",
      "next",
      "hand.job",
      "--count",
      "3",
    );
    const detail = await cluster.json<JobDetail>("job", "show", "hand.job");
    await ok("delete", "Job", "hand.job", "-y");

    assert.match(paused, /paused by operator\/cli since/);
    assert.equal(none, paused);
    assert.deepEqual(output, { given: { from: "hand" } });
    assert.deepEqual(planned, []);
    assert.equal(next.times.length, 3);
    assert.match(detail.explanation.sentence, /runs next at|is running/);
    const unknown = await cluster.run("job", "run", "hand.jobb");
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /"hand\.jobb" does not exist/);
  });

  it("skip a time while they still run, with the reason, and end when they are cancelled", async () => {
    await apply({
      "long.job": { service: "tick.gate", every: "500ms", input: { until: gate("long") } },
    });
    const skipped = await until(
      "a skipped run",
      async () => (await history("long.job", "--state", "skipped"))[0],
    );
    const running = (await history("long.job", "--state", "running"))[0]!;

    await ok("job", "pause", "long.job");
    await ok("job", "cancel", running.id);
    const ended = await until("the end of the run", async () => {
      const run = await cluster.json<RunDetail>("job", "history", "--run", running.id);
      return run.finishedAt === null ? undefined : run;
    });
    await ok("delete", "Job", "long.job", "-y");

    assert.match(skipped.reason ?? "", new RegExp(`^Overlap: .*${running.id}`));
    assert.deepEqual([ended.state, ended.reason], ["failed", "Cancelled by operator/cli"]);
    assert.equal((await executed("long.job")).length, 1);
  });

  it("of a service's own run once after a delay or at a time, unless it cancels them", async () => {
    const { output: ids } = await cluster.json<{
      readonly output: Readonly<Record<"soon" | "at" | "never", string>> & { taken: boolean };
    }>("service", "invoke", "tick.later");
    await Promise.all([ranAtLeast(ids.soon, 1), ranAtLeast(ids.at, 1)]);
    const never = await cluster.json<{ readonly state: string }>("invocation", "show", ids.never);

    assert.equal(ids.taken, true);
    assert.equal(never.state, "cancelled");
    assert.deepEqual(await executed(ids.never), []);
  });

  it("that their server takes down are lost, and run on another one if they ask for it", async () => {
    const at = new Date(Date.now() + 2_000).toISOString();
    const spec = { service: "tick.gate", at, attemptsMax: 2, retryMs: 0 };
    await apply({
      "lost.kept": { ...spec, input: { until: gate("kept") } },
      "lost.again": { ...spec, retryLost: true, input: { until: gate("again") } },
    });
    await Promise.all([ranAtLeast("lost.kept", 1), ranAtLeast("lost.again", 1)]);

    const servers = new Set(
      [...await executed("lost.kept"), ...await executed("lost.again")].map(({ server }) => server),
    );
    for (const server of servers) await killServer(server);
    await Promise.all([...servers].map(startServer));
    const lost = await until("both to be lost", async () => {
      const runs = await history("--state", "lost");
      const jobs = new Set(runs.map(({ job }) => job));
      return jobs.has("lost.kept") && jobs.has("lost.again") ? runs : undefined;
    });
    await ranAtLeast("lost.again", 2);
    await writeFile(gate("again"), "");
    const again = await until(
      "the second attempt",
      async () => (await history("lost.again")).find(({ state }) => state === "ok"),
    );
    const explained = await ok("job", "explain", "lost.kept");

    for (const run of lost) assert.match(run.reason ?? "", new RegExp(`"${run.server}" went away`));
    assert.deepEqual([again.attempt, again.trigger], [2, "retry"]);
    assert.equal((await executed("lost.kept")).length, 1);
    assert.match(explained, /lost/);
  });

  it("go on when the leader is killed: no time runs twice, and none is forgotten", async () => {
    const intervalMs = 250;
    await apply({ "steady.job": { service: "tick.note", every: "250ms", overlap: "allow" } });
    await ranAtLeast("steady.job", 8);
    const first = await until("a leader", leader);

    await killServer(first.server);
    const second = await until("the next leader", async () => {
      const now = await leader();
      return now !== undefined && now.server !== first.server ? now : undefined;
    });
    const before = (await executed("steady.job")).length;
    await ranAtLeast("steady.job", before + 40);
    await startServer(first.server);
    await ok("job", "pause", "steady.job");
    const runs = await until("the end of all runs", async () => {
      const all = await history("steady.job");
      return all.some(({ state }) => state === "running" || state === "planned") ? undefined : all;
    });
    const terms = await cluster.json<readonly LeaseTermView[]>("lease", "history", "scheduler");

    const times = runs.map(({ plannedAt }) => Date.parse(plannedAt)).sort((a, b) => a - b);
    const gaps = times.slice(1).map((time, index) => time - times[index]!);
    assert.deepEqual(gaps.filter((gap) => gap !== intervalMs), [], "every time has one row");
    const counts = Map.groupBy(await executed("steady.job"), ({ cid }) => cid);
    assert.ok([...counts.values()].every(({ length }) => length === 1), "none ran twice");
    for (const { id, state } of runs) {
      if (state === "ok") assert.ok(counts.has(id), `${id} is ok and never ran`);
      else assert.equal(state, "lost", `${id} is ${state}`);
    }
    assert.equal(second.epoch, first.epoch + 1);
    const term = terms.find(({ epoch }) => epoch === first.epoch);
    assert.deepEqual([term?.server, term?.end], [first.server, "expired"]);
  });

  it("are planned by another server at once when the leader is stopped", async () => {
    const first = await until("a leader", leader);

    await dragomanOk(["stop", join(cluster.directory, first.server)]);
    const second = await until("the next leader", async () => {
      const now = await leader();
      return now !== undefined && now.epoch > first.epoch ? now : undefined;
    });
    const terms = await cluster.json<readonly LeaseTermView[]>("lease", "history", "scheduler");
    await startServer(first.server);

    assert.notEqual(second.server, first.server);
    assert.equal(terms.find(({ epoch }) => epoch === first.epoch)?.end, "released");
  });
});
