import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import type { DriftReport } from "../../src/admin-api/api.ts";
import { createRunCommand } from "../../src/cli/rehearsal/run-command.ts";
import { version } from "../../src/config/component.ts";
import { latestVersion } from "../../src/odb/migrations/registry.ts";
import type { CommandOutcome, RunCommand } from "../../src/rehearsal/cluster.ts";
import { runScenario } from "../../src/rehearsal/drive.ts";
import { loadUpgradePath } from "../../src/rehearsal/installation.ts";
import { type OwnCluster, startOwnCluster } from "../../src/rehearsal/own-cluster.ts";
import { upgrade } from "../../src/rehearsal/scenarios/upgrade.ts";
import type { DatabasePeer } from "../peers/database-process.ts";
import { startPostgresql } from "../peers/postgresql.ts";
import { makeOtherVersion, type OtherVersion } from "./other-version.ts";

let postgresql: DatabasePeer;
/** Its step of the schema leaves everything to older versions that they need. */
let next: OtherVersion;
/** Its step of the schema does not. */
let breaking: OtherVersion;
let own: OwnCluster;
let run: RunCommand;
let runNext: RunCommand;
let runBreaking: RunCommand;

before(async () => {
  [postgresql, next, breaking] = await Promise.all([
    startPostgresql(),
    makeOtherVersion({ version: "98.1.0", steps: ["additive"] }),
    makeOtherVersion({ version: "99.0.0", steps: ["additive", "breaking"] }),
  ]);
  const secrets = { DRAGOMAN_ODB_PASSWORD: postgresql.password };
  const of = ({ env, launcher }: OtherVersion) =>
    createRunCommand(process.env, { ...secrets, ...env }, launcher);
  const launcher = resolve(import.meta.dirname!, "../../dragoman");
  [run, runNext, runBreaking] = [
    createRunCommand(process.env, secrets, launcher),
    of(next),
    of(breaking),
  ];
  const odbUrl = await postgresql.createDatabase("upgrade");
  own = await startOwnCluster({ run, servers: 2, workers: 1, odbUrl });
});

after(async () => {
  await own?.end({ keep: false });
  await Promise.all([postgresql?.stop(), next?.remove(), breaking?.remove()]);
});

async function ok(outcome: Promise<CommandOutcome>): Promise<string> {
  const { exitCode, stdout, stderr } = await outcome;
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

/** One server goes from one version to another, as an operator does it. */
async function move(index: number, from: RunCommand, to: RunCommand): Promise<CommandOutcome> {
  const { directory } = own.cluster.servers[index]!;
  await ok(from(["stop", directory]));
  return await to(["start", directory]);
}

const env = () => ["--env", own.cluster.directory];

describe("Two versions of Dragoman", () => {
  it("serve side by side, and a cluster goes to the newer one and back", async () => {
    const path = await loadUpgradePath(runNext, run);
    const dose = { durationMs: 4_000, requestsPerSecond: 150, ticks: undefined, outageMs: 1_000 };
    const report = await runScenario(upgrade, {
      place: { ...own, upgrade: path },
      dose,
      say: () => {},
      cleanUp: true,
    });

    assert.deepEqual([path.from.name, path.to.name], [version, "98.1.0"]);
    assert.deepEqual(report.promises.filter(({ verdict }) => verdict === "broken"), []);
    const measured = (promise: string) =>
      report.promises.find((row) => row.promise.startsWith(promise))?.measured;
    assert.equal(
      measured("Schema version"),
      `${latestVersion} -> ${latestVersion + 1} while all servers ran`,
    );
    assert.equal(measured("Side by side"), `server1 98.1.0, server2 ${version}`);
  });

  it("are told apart by status and drift", async () => {
    await ok(move(0, run, runNext));
    await own.cluster.recovered();

    const status = await ok(run(["status", ...env()]));
    const drift = await run(["drift", ...env(), "-o", "json"]);

    assert.match(status, /server1 +up +98\.1\.0 /);
    assert.match(status, new RegExp(`server2 +up +${version} `));
    assert.equal(drift.exitCode, 3);
    const { differences } = JSON.parse(drift.stdout) as DriftReport;
    const text = `runs Dragoman ${version}, the newest server 98.1.0`;
    assert.deepEqual(differences, [{ server: "server2", kind: "Server", name: "server2", text }]);
  });

  it("say which server cannot do yet what only the newer one knows", async () => {
    const file = join(own.cluster.directory, "later.yaml");
    const spec =
      "{ path: /later, methods: [GET], service: demo.hello, security: none, later: false }";
    await writeFile(
      file,
      `apiVersion: dragoman/v1\nkind: RestChannel\nname: later\nspec: ${spec}\n`,
    );

    const { exitCode, stdout, stderr } = await run(["apply", "-f", file, ...env()]);

    assert.equal(exitCode, 1, stdout);
    assert.match(stdout + stderr, /server2[\s\S]*Unrecognized key: "later"/);
    assert.doesNotMatch(stdout + stderr, /server1.*(failed|Unrecognized)/);
    await ok(run(["delete", "RestChannel", "later", ...env(), "--yes"]));
  });
});

describe("dragoman rehearse upgrade", () => {
  const cases: readonly [string, readonly string[], number, RegExp][] = [
    ["needs a second installation", ["upgrade"], 2, /Name a second installation.*--other/],
    ["takes none for others", ["odb-down", "--other", "."], 2, /is for the scenario upgrade/],
    ["takes no lent cluster", ["upgrade", "--other", ".", "--env", "."], 2, /of its own/],
    ["says where none is", ["upgrade", "--other", tmpdir()], 1, /There is no Dragoman in "/],
  ];
  for (const [what, words, exitCode, text] of cases) {
    it(what, async () => {
      const outcome = await run(["rehearse", ...words]);

      assert.equal(outcome.exitCode, exitCode);
      assert.match(outcome.stderr, text);
    });
  }
});

describe("A step of the schema that older versions cannot use", () => {
  it("comes before servers are restarted with what needs it", async () => {
    const pids = () =>
      Promise.all(own.cluster.servers.map(async (one) => (await own.cluster.status(one)).pid));
    const before = await pids();

    const { exitCode, stderr } = await runBreaking(["restart", "--rolling", ...env()]);

    assert.equal(exitCode, 1);
    assert.match(stderr, new RegExp(`schema version ${latestVersion + 1}, and this Dragoman 99`));
    assert.match(stderr, /Fix: +Run `dragoman create odb`/);
    assert.deepEqual(await pids(), before);
  });

  it("leaves older servers alone while they run, and does not let them start", async () => {
    const { odbUrl } = own.cluster.servers[0]!;
    await ok(runBreaking(["create", "odb", odbUrl]));
    await own.cluster.recovered();

    const refused = await move(1, run, run);

    assert.equal(refused.exitCode, 1);
    const versions = `schema version ${latestVersion + 2}, made by Dragoman 99\\.0\\.0; this ` +
      `Dragoman ${version} cannot use it, it knows ${latestVersion}`;
    assert.match(
      refused.stderr,
      new RegExp(`"server2" did not start: The ODB at .* has ${versions}`),
    );
    assert.match(refused.stderr, /Fix: +Update this Dragoman/);
    await ok(runBreaking(["start", own.cluster.servers[1]!.directory]));
    await own.cluster.recovered();
  });
});
