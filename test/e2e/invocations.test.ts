import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { InvocationDetail, InvocationView } from "../../src/admin-api/api.ts";
import type { ClusterSummary } from "../../src/cli/cluster/summary.ts";
import { poll } from "../../src/lib/wait.ts";
import type { DatabasePeer } from "../peers/database-process.ts";
import { startPostgresql } from "../peers/postgresql.ts";
import { dragoman, type Quickstart, startQuickstart } from "./quickstart.ts";

let postgresql: DatabasePeer;
let cluster: Quickstart;
/** Every run of a service appends a line here. */
let ledger: string;

before(async () => {
  postgresql = await startPostgresql();
  cluster = await startQuickstart(
    ["--odb", "postgresql", "--odb-url", await postgresql.createDatabase("invocations")],
    { DRAGOMAN_ODB_PASSWORD: postgresql.password },
  );
  ledger = join(cluster.directory, "ledger.txt");
  await writeFile(ledger, "");
  const file = join(cluster.directory, "work.ts");
  await writeFile(file, source());
  const deployed = await cluster.run("deploy", file);
  assert.equal(deployed.exitCode, 0, deployed.stderr);
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await postgresql?.stop();
});

/** `note` writes down that it ran; `work.gate` waits until a file says that it may end. */
function source(): string {
  return `import { appendFileSync, existsSync } from "node:fs";
import { defineService, ServiceError, z } from "dragoman";
const ledger = ${JSON.stringify(ledger)};
const input = z.object({ run: z.string(), at: z.string().default("") });
const note = (name, run, server) => appendFileSync(ledger, name + " " + run + " " + server + "\\n");
export const count = defineService({
  name: "work.count", input,
  handle({ input, server }) { note("count", input.run, server); return { run: input.run }; },
});
export const gate = defineService({
  name: "work.gate", input,
  async handle({ input, server }) {
    note("gate", input.run, server);
    while (!existsSync(input.at)) await new Promise((resolve) => setTimeout(resolve, 20));
    return { server };
  },
});
export const fail = defineService({
  name: "work.fail", input,
  handle({ input, server }) {
    note("fail", input.run, server);
    throw new ServiceError(409, "The stock is empty");
  },
});
export const told = defineService({
  name: "work.told", input: z.any(),
  handle({ input, server }) { note("told", JSON.stringify(input), server); },
});
export const enqueue = defineService({
  name: "work.enqueue", input,
  async handle({ input, invokeAsync }) {
    return await invokeAsync("work.count", { run: input.run });
  },
});
`.replaceAll("(name, run, server)", "(name: string, run: string, server: string)");
}

async function runs(name: string, run: string): Promise<readonly string[]> {
  const lines = (await readFile(ledger, "utf8")).split("\n");
  return lines.filter((line) => line.startsWith(`${name} ${run} `))
    .map((line) => line.split(" ").at(-1)!);
}

async function create(
  service: string,
  input: unknown,
  ...options: string[]
): Promise<string> {
  const text = JSON.stringify(input);
  const args = ["invocation", "create", service, "--input", text, ...options];
  return (await cluster.json<{ readonly id: string }>(...args)).id;
}

const show = (id: string) => cluster.json<InvocationDetail>("invocation", "show", id);

async function ended(id: string, timeoutMs = 40_000): Promise<InvocationDetail> {
  const found = await poll(async () => {
    const one = await show(id);
    return one.finishedAt === null ? undefined : one;
  }, { timeoutMs, intervalMs: 200 });
  assert.ok(found, JSON.stringify(await show(id)));
  return found;
}

async function processesOf(name: string): Promise<readonly number[]> {
  const { pid } = (await cluster.components()).find((component) => component.name === name)!;
  const { servers } = await cluster.json<ClusterSummary>("status");
  const server = servers.find((candidate) => "name" in candidate && candidate.name === name);
  assert.ok(server !== undefined && "workers" in server, `${name} does not answer`);
  return [pid!, ...server.workers.map((worker) => worker.pid)];
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) process.kill(pid, name);
}

/** Which server runs it, once one does. */
async function runnerOf(run: string): Promise<string> {
  const server = await poll(async () => (await runs("gate", run)).at(-1), { timeoutMs: 20_000 });
  assert.ok(server, "it never ran");
  return server;
}

function gate(): { readonly run: string; readonly at: string } {
  const run = randomUUID();
  return { run, at: join(cluster.directory, `gate-${run}`) };
}

describe("An invocation", () => {
  it("runs once, and its output is kept", async () => {
    const id = await create("work.count", { run: "once" });

    const done = await ended(id);

    assert.deepEqual([done.state, done.output, done.attempts], ["done", { run: "once" }, 1]);
    assert.equal((await runs("count", "once")).length, 1);
  });

  it("that fails is repeated, then kept with the reason, and a callback hears of it", async () => {
    const options = ["--attempts", "2", "--retry-ms", "50", "--callback", "work.told"];
    const id = await create("work.fail", { run: "fails" }, ...options);

    const failed = await ended(id);
    const told = await poll(async () => {
      const text = await readFile(ledger, "utf8");
      return text.split("\n").find((line) => line.startsWith("told ") && line.includes(id));
    }, { timeoutMs: 10_000 });
    const shown = await cluster.run("invocation", "show", id);
    const list = await cluster.run("invocation", "list", "--state", "failed");

    assert.deepEqual([failed.state, failed.attempts], ["failed", 2]);
    assert.match(failed.lastError ?? "", /The stock is empty/);
    assert.equal((await runs("fail", "fails")).length, 2);
    assert.match(told ?? "", /"ok":false/);
    assert.match(shown.stdout, /Attempts: +2 of 2/);
    assert.match(shown.stdout, new RegExp(`dragoman invocation retry ${id}`));
    assert.match(list.stdout, /work\.fail +failed +2 of 2 .*The stock is empty/);
  });

  it("that failed runs again when a person says so", async () => {
    const [failed] = await cluster.json<readonly InvocationView[]>(
      "invocation",
      "list",
      "--state",
      "failed",
    );

    const retried = await cluster.run("invocation", "retry", failed!.id);
    const again = await poll(async () => (await runs("fail", "fails")).length > 2 || undefined, {
      timeoutMs: 10_000,
    });

    assert.equal(retried.exitCode, 0, retried.stderr);
    assert.equal(again, true);
  });

  it("waits for its time, and is cancelled before it, but not after", async () => {
    const id = await create("work.count", { run: "later" }, "--delay-ms", "3600000");

    const cancelled = await cluster.run("invocation", "cancel", id);
    const again = await cluster.run("invocation", "cancel", id);
    const deleted = await cluster.run("invocation", "delete", id);
    const gone = await cluster.run("invocation", "show", id);

    assert.equal(cancelled.exitCode, 0, cancelled.stderr);
    assert.match(again.stderr, /is cancelled and cannot be cancelled/);
    assert.equal(deleted.exitCode, 0, deleted.stderr);
    assert.match(gone.stderr, /There is no invocation/);
    assert.deepEqual(await runs("count", "later"), []);
  });

  it("of a service that is not there is refused with the nearest name", async () => {
    const { exitCode, stderr } = await cluster.run("invocation", "create", "work.cuont");

    assert.equal(exitCode, 1);
    assert.match(stderr, /work\.cuont.*did you mean "work\.count"/s);
  });

  it("with an input that does not fit fails at once, naming the field", async () => {
    const id = await create("work.count", { run: 5 });

    const failed = await ended(id);

    assert.deepEqual([failed.state, failed.attempts], ["failed", 1]);
    assert.match(failed.lastError ?? "", /run/);
  });

  it("that a service hands over runs as well", async () => {
    const input = JSON.stringify({ run: "handed over" });
    const result = await cluster.json<{ readonly output: { readonly id: string } }>(
      "service",
      "invoke",
      "work.enqueue",
      "--input",
      input,
    );

    const done = await ended(result.output.id);

    assert.equal(done.state, "done");
    assert.equal((await runs("count", "handed over")).length, 1);
  });
});

describe("A server that dies", () => {
  it("with an invocation in the middle: another server runs it", async () => {
    const input = gate();
    const id = await create("work.gate", input);
    const victim = await runnerOf(input.run);
    const pids = await processesOf(victim);

    signal(pids, "SIGKILL");
    const other = await poll(async () => {
      const server = (await runs("gate", input.run)).at(-1);
      return server === victim ? undefined : server;
    }, { timeoutMs: 40_000 });
    await writeFile(input.at, "");
    const done = await ended(id);
    const started = await dragoman(["start", join(cluster.directory, victim)]);

    assert.ok(other);
    assert.equal(started.exitCode, 0, started.stderr);
    assert.deepEqual([done.state, done.losses, done.output], ["done", 1, { server: other }]);
  });

  it("after it accepted one: another server runs it", async () => {
    const id = await create("work.count", { run: "accepted" }, "--delay-ms", "2500");
    const pids = await processesOf("server1"); // the one that the command line asks first
    signal(pids, "SIGKILL");

    const done = await ended(id);
    const started = await dragoman(["start", join(cluster.directory, "server1")]);

    assert.equal(started.exitCode, 0, started.stderr);
    assert.equal(done.state, "done");
    assert.deepEqual(await runs("count", "accepted"), ["server2"]);
  });

  it("frozen past its claim does not write over what the other server found", async () => {
    const input = gate();
    const id = await create("work.gate", input);
    const victim = await runnerOf(input.run);
    const pids = await processesOf(victim);

    signal(pids, "SIGSTOP");
    let other: string | undefined;
    try {
      other = await poll(async () => {
        const server = (await runs("gate", input.run)).at(-1);
        return server === victim ? undefined : server;
      }, { timeoutMs: 40_000 });
      await writeFile(input.at, "");
      await ended(id);
    } finally {
      signal(pids, "SIGCONT");
    }
    const log = join(cluster.directory, victim, "log");
    const late = await poll(async () => {
      const text = await readFile(join(log, "server.log"), "utf8").catch(() => "");
      return text.includes("ended here too late") || undefined;
    }, { timeoutMs: 20_000 });

    assert.ok(other);
    assert.equal(late, true);
    const done = await show(id);
    assert.deepEqual(done.output, { server: other });
    assert.equal((await runs("gate", input.run)).length, 2);
  });
});

describe("With the ODB gone", () => {
  before(() => postgresql.kill());
  after(async () => {
    await postgresql.restart();
    const back = await poll(
      async () => (await cluster.run("invocation", "list")).exitCode === 0 || undefined,
      { timeoutMs: 30_000, intervalMs: 200 },
    );
    assert.equal(back, true);
  });

  it("handing over is refused with the reason", async () => {
    const input = JSON.stringify({ run: "refused" });
    const { exitCode, stderr } = await cluster.run(
      "service",
      "invoke",
      "work.enqueue",
      "--input",
      input,
    );

    assert.equal(exitCode, 1);
    assert.match(stderr, /ODB at .* cannot be used/);
  });
});

describe("A thousand invocations", () => {
  it("all run at least once while a server is killed among them", async () => {
    const file = join(cluster.directory, "many.ts");
    await writeFile(
      file,
      `import { defineService, z } from "dragoman";
export const many = defineService({
  name: "work.many",
  input: z.object({ from: z.number(), to: z.number() }),
  async handle({ input, invokeAsync }) {
    for (let n = input.from; n < input.to; n++) await invokeAsync("work.count", { run: "n" + n });
  },
});
`,
    );
    const deployed = await cluster.run("deploy", file);
    assert.equal(deployed.exitCode, 0, deployed.stderr);
    const pids = await processesOf("server2");

    const enqueued = Promise.all([0, 250, 500, 750].map((from) =>
      cluster.run(
        "service",
        "invoke",
        "work.many",
        "--input",
        JSON.stringify({ from, to: from + 250 }),
      )
    ));
    await poll(async () => (await runs("count", "n50")).length > 0 || undefined, {
      timeoutMs: 30_000,
      intervalMs: 10,
    });
    signal(pids, "SIGKILL");
    const results = await enqueued;
    const names = Array.from({ length: 1_000 }, (_, n) => `n${n}`);
    const counts = await poll(async () => {
      const lines = (await readFile(ledger, "utf8")).split("\n");
      const found = new Map<string, number>();
      for (const line of lines) {
        const [service, run = ""] = line.split(" ");
        if (service === "count") found.set(run, (found.get(run) ?? 0) + 1);
      }
      return names.every((name) => found.has(name)) ? found : undefined;
    }, { timeoutMs: 60_000 });
    const started = await dragoman(["start", join(cluster.directory, "server2")]);

    for (const { exitCode, stderr } of results) assert.equal(exitCode, 0, stderr);
    assert.equal(started.exitCode, 0, started.stderr);
    assert.ok(counts, "some never ran");
    const twice = names.filter((name) => (counts.get(name) ?? 0) > 1).length;
    // At most what the killed server had in hand at that moment.
    assert.ok(twice <= 16, `${twice} ran more than once`);
  });
});
