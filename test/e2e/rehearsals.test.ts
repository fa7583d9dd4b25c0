import assert from "node:assert/strict";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type RehearsalReport, runScenario } from "../../src/rehearsal/drive.ts";
import { type OwnCluster, startOwnCluster } from "../../src/rehearsal/own-cluster.ts";
import { scenarios } from "../../src/rehearsal/scenarios/registry.ts";
import type { Scenario } from "../../src/rehearsal/stage.ts";
import type { DatabasePeer } from "../peers/database-process.ts";
import { startPostgresql } from "../peers/postgresql.ts";
import { dragoman } from "./quickstart.ts";

let postgresql: DatabasePeer;
let own: OwnCluster;

before(async () => {
  postgresql = await startPostgresql();
  // The password goes by the environment: it must not stand in the arguments of a process.
  const secrets = { DRAGOMAN_ODB_PASSWORD: postgresql.password };
  own = await startOwnCluster({
    run: (words, { env = {}, within = [] } = {}) =>
      dragoman(words, { env: { ...secrets, ...env }, within }),
    servers: 2,
    workers: 1,
    odbUrl: await postgresql.createDatabase("rehearsals"),
  });
});

after(async () => {
  await own?.end({ keep: false });
  await postgresql?.stop();
});

/** The short form: what `dragoman rehearse` does, in a few seconds. */
function rehearse(scenario: Scenario): Promise<RehearsalReport> {
  const dose = { durationMs: 4_000, requestsPerSecond: 150, ticks: undefined, outageMs: 5_000 };
  return runScenario(scenario, { place: own, dose, say: () => {}, cleanUp: true });
}

function named(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  assert.ok(found, `no scenario ${name}`);
  return found;
}

function brokenRows({ promises }: RehearsalReport): readonly unknown[] {
  return promises.filter(({ verdict }) => verdict === "broken");
}

describe("A rehearsal", () => {
  // The one has no short form, the other a test of its own: upgrade.test.ts.
  const others = ["leader-changes", "upgrade"];
  const short = scenarios.filter(({ name }) => !others.includes(name));

  for (const scenario of short) {
    it(`of ${scenario.name} breaks no promise`, async () => {
      const report = await rehearse(scenario);

      assert.deepEqual(brokenRows(report), []);
      assert.ok(report.kept);
      const sent = report.promises.find(({ promise }) => /^GET failed.*, of/.test(promise));
      assert.ok(Number(sent?.promise.match(/\d+/)?.[0]) > 300, sent?.promise ?? "no GET at all");
    });
  }

  it("with PostgreSQL killed and started again breaks no promise", async () => {
    const report = await rehearse({
      ...named("odb-down"),
      async rehearse(stage) {
        const fault = stage.begin("PostgreSQL is killed and started again");
        await postgresql.restart();
        stage.end(fault, "PostgreSQL is back");
        await stage.cluster.recovered();
        return [];
      },
    });

    assert.deepEqual(brokenRows(report), []);
  });

  it("finds what was executed twice, and what nobody sent", async () => {
    const report = await rehearse({
      name: "forged",
      summary: "Services note what they did not do",
      jobs: 0,
      async rehearse({ entries, workload }) {
        const posted = entries.find(({ method }) => method === "POST");
        const lines = [`request ${posted?.id}`, "request of-nobody"];
        await appendFile(join(workload.executions, "forged.executed"), lines.join("\n") + "\n");
        return [];
      },
    });

    assert.equal(report.kept, false);
    assert.deepEqual(
      report.promises.filter(({ verdict }) => verdict === "broken").map(({ promise }) => promise),
      ["POST executed twice", "Executed and sent by nobody"],
    );
  });
});

describe("dragoman rehearse", () => {
  it("prints each promise, and exits with 0 when all are kept", async () => {
    const { exitCode, stdout, stderr } = await dragoman(
      ["rehearse", "worker-killed", "--env", own.cluster.directory, "--duration", "4"],
    );

    assert.equal(exitCode, 0, stdout + stderr);
    assert.match(stdout, /PROMISE +MEASURED +BOUND +VERDICT/);
    assert.match(stdout, /GET failed, of \d+ +0 +0 +kept/);
    assert.match(stdout, /Ticks run twice, of \d+ +0 +0 +kept/);
    assert.match(stdout, /worker-killed: every promise kept/);
    assert.match(stderr, /A worker of server1 is killed/);
  });

  it("leaves nothing behind in an environment that it was lent", async () => {
    const { stdout } = await dragoman(["export", "--env", own.cluster.directory]);

    assert.doesNotMatch(stdout, /rehearsal/);
  });

  it("knows what it has, and what it has not", async () => {
    const listed = await dragoman(["rehearse", "--list", "-o", "json"]);
    const unknown = await dragoman(["rehearse", "leader-kiled"]);
    const missing = await dragoman(["rehearse"]);

    const names = (JSON.parse(listed.stdout) as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(names, scenarios.map(({ name }) => name));
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /no rehearsal "leader-kiled"[\s\S]*leader-killed/);
    assert.equal(missing.exitCode, 2);
  });

  it("does not touch production unless told so", async () => {
    const file = join(own.cluster.directory, "config.yaml");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("environment: development", "environment: production"));
    const { exitCode, stderr } = await dragoman(
      ["rehearse", "leader-killed", "--env", own.cluster.directory],
    );

    await writeFile(file, text);
    assert.equal(exitCode, 1);
    assert.match(stderr, /marked as production[\s\S]*--yes/);
  });
});
