import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runCaptured } from "../../../src/cli/captured-io.ts";
import type { SetStatus } from "../../../src/cli/lifecycle/state.ts";
import { runtimeCommand } from "../../../src/cli/lifecycle/runtime-command.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { cli, cliOk } from "./cli-process.ts";

interface Refusal {
  readonly name: string;
  readonly words: readonly string[];
  readonly error: RegExp;
}

describe("A cluster built by hand", { timeout: 300_000 }, () => {
  let directory = "";
  const ports = { kvdb: 0, http: 0, agent: 0, server: 0, admin: 0, webAdmin: 0 };
  const run = (...words: readonly string[]) => runCaptured(words, { cwd: directory });
  const ok = async (...words: readonly string[]) => {
    const result = await run(...words);
    assert.equal(result.code, 0, `dragoman ${words.join(" ")}\n${result.stderr}`);
    return result;
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-by-hand-"));
    for (const name of Object.keys(ports)) ports[name as keyof typeof ports] = await findFreePort(); // its own keys
  });
  after(async () => {
    await cli(["stop", join(directory, "prod")]);
    await rm(directory, { recursive: true, force: true });
  });

  const serverWords = (name: string) => [
    ...["create", "server", name, "--name", name, "--cluster", "prod", "--odb-url", "odb.db"],
    ...["--cluster-key", "prod.key", "--http-port", `${ports.server}`],
    ...["--admin-port", `${ports.admin}`],
  ];

  it("is made by one create command after the other", async () => {
    await ok("ca", "create", "ca", "ca", "--organization", "Example");
    const odb = await ok("create", "odb", "odb.db");
    const again = await ok("create", "odb", "odb.db");
    await ok("create", "cluster", "prod", "--odb-url", "odb.db", "--cluster-key", "prod.key");
    await ok("create", "kvdb", "kvdb", "--engine", "embedded", "--port", `${ports.kvdb}`);
    const agent = ["--http-port", `${ports.http}`, "--agent-port", `${ports.agent}`];
    const agentUrl = `https://127.0.0.1:${ports.agent}`;
    const common = ["--cluster", "prod", "--ca", "ca"];
    await ok("create", "load-balancer", "balancer", ...common, "--engine", "embedded", ...agent);
    const kvdbUrl = `redis://127.0.0.1:${ports.kvdb}/0`;
    const kvdb = ["--kvdb-url", kvdbUrl, "--kvdb-password-file", "kvdb/secrets/kvdb-password"];
    await ok(...serverWords("server1"), ...kvdb, "--agent-url", agentUrl, "--ca", "ca");
    const urls = ["--admin-url", `https://127.0.0.1:${ports.admin}`, "--agent-url", agentUrl];
    await ok(
      "create",
      "web-admin",
      "console",
      ...common,
      ...urls,
      "--http-port",
      `${ports.webAdmin}`,
    );
    const user = await ok("create", "user", "console", "--username", "ana");
    const parts = ["kvdb", "balancer", "server1", "console"].flatMap((
      part,
    ) => ["--component", part]);
    await ok("create", "environment", "prod", ...common, ...parts);

    assert.match(odb.stdout, /schema version \d+ now, it had 0/);
    assert.match(again.stdout, /is up to date/);
    assert.match(user.stdout, /shown this once\): \S{20,}\n$/);
    assert.equal((await stat(join(directory, "prod.key"))).mode & 0o777, 0o600);
    assert.match((await ok("ca", "list", "ca")).stdout, /spiffe:\/\/prod\/server\/server1 +valid/);
  });

  it("refuses every kind of bad input and makes nothing", async () => {
    await writeFile(join(directory, "wrong.key"), "short\n");
    const refusals: readonly Refusal[] = [
      { name: "no CA", words: serverWords("s"), error: /Give either --ca, or all of/ },
      {
        name: "a CA that is none",
        words: [...serverWords("s"), "--ca", "kvdb"],
        error: /is a kvdb, not a ca/,
      },
      {
        name: "a certificate that is not there",
        words: [...serverWords("s"), "--tls-cert", "no.pem", "--tls-key", "no", "--tls-ca", "no"],
        error: /Cannot read ".*no\.pem"/,
      },
      {
        name: "a directory in use",
        words: [...serverWords("server1"), "--ca", "ca"],
        error: /server1" is not empty/,
      },
      {
        name: "a wrong cluster key",
        words: [...serverWords("s"), "--ca", "ca"].map((word) =>
          word === "prod.key" ? "wrong.key" : word
        ),
        error: /key/i,
      },
      {
        name: "a name that is none",
        words: [...serverWords("s"), "--ca", "ca"].map((word) => word === "s" ? "s s" : word),
        error: /letters, digits/,
      },
      {
        name: "an existing cluster",
        words: ["create", "cluster", "prod", "--odb-url", "odb.db", "--cluster-key", "x.key"],
        error: /has a cluster "prod" already/,
      },
      {
        name: "an existing key file",
        words: ["create", "cluster", "other", "--odb-url", "odb.db", "--cluster-key", "prod.key"],
        error: /prod\.key" exists already/,
      },
      {
        name: "an ODB without tables",
        words: ["create", "cluster", "c", "--odb-url", "empty.db", "--cluster-key", "x.key"],
        error: /empty\.db/,
      },
      {
        name: "an ODB of another kind",
        words: ["create", "odb", "oracle://u@h/d"],
        error: /oracle:/,
      },
      {
        name: "an unreachable ODB, without its password",
        words: ["create", "odb", "postgresql://u:s3cret@127.0.0.1:1/d"],
        error: /127\.0\.0\.1:1\/d cannot be used/,
      },
      {
        name: "a user twice",
        words: ["create", "user", "console", "--username", "ana"],
        error: /ana/,
      },
      {
        name: "a user of no web admin",
        words: ["create", "user", "kvdb", "--username", "x"],
        error: /is a kvdb/,
      },
      {
        name: "a start of nothing",
        words: ["start", "nowhere"],
        error: /is not a Dragoman component/,
      },
      { name: "a start of a CA", words: ["start", "ca"], error: /is a ca, which does not run/ },
      {
        name: "a component of another cluster",
        words: [
          "create",
          "environment",
          "e",
          "--cluster",
          "c",
          "--ca",
          "ca",
          "--component",
          "server1",
        ],
        error: /belongs to cluster "prod", not "c"/,
      },
      {
        name: "an unknown serial",
        words: ["ca", "renew", "ca", "abc"],
        error: /no certificate with serial abc/,
      },
    ];
    for (const { name, words, error } of refusals) {
      const { code, stdout, stderr } = await run(...words);
      assert.ok(code > 0, `${name}: ${stdout}`);
      assert.match(stderr, error, name);
      assert.match(stderr, /^Error: .+\nWhy: [\s\S]+\nFix: {3}.+\n$/, name);
      assert.ok(!stderr.includes("s3cret"), name);
    }
    for (const made of ["s", "s s", "x.key", "e"]) {
      await assert.rejects(stat(join(directory, made)), { code: "ENOENT" }, made);
    }
  });

  it("starts, reports itself and stops as one environment", async () => {
    await ok("start", "prod");
    const status: SetStatus = JSON.parse((await ok("status", "prod", "-o", "json")).stdout);
    const readyz = await fetch(`http://127.0.0.1:${ports.http}/dragoman/ping`);
    const info = JSON.parse((await ok("info", "server1", "-o", "json")).stdout);
    const byServer = await ok("status", "--env", "server1");

    assert.deepEqual(status.components.map(({ state }) => state), Array(4).fill("running"));
    assert.equal(readyz.status, 200);
    assert.equal(info.component, "server");
    assert.equal(info.state, "running");
    assert.equal(info.config.cluster, "prod");
    assert.match(byServer.stdout, /server1 +up/);
    assert.equal((await run("check-config", "prod")).code, 0);
  });

  it("runs a component in the foreground until it is told to stop", async () => {
    await ok("stop", "console");
    const { program, words } = runtimeCommand([
      "start",
      join(directory, "console"),
      "--foreground",
    ]);
    const child = spawn(program, [...words], { stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => log += text);
    while (!log.includes("The component answers")) await once(child.stdout, "data");

    const second = await cli(["start", join(directory, "console"), "--foreground"]);
    const started = await ok("start", "console");
    // child.kill would report its signal as the way the process ended, whatever that was.
    process.kill(child.pid!, "SIGTERM");
    const [code] = await once(child, "exit");

    assert.equal(second.code, 1);
    assert.match(second.stderr, /Web admin "web-admin" runs already, as process \d+/);
    assert.match(started.stderr, /already running/);
    assert.equal(code, 0);
    assert.match(log, /"msg":"The component stops".*"signal":"SIGTERM"/);
    assert.match((await run("status", "console")).stdout, /stopped/);
  });

  it("starts a component once when two people start it at the same moment", async () => {
    const path = join(directory, "console");
    const outcomes = await Promise.all([cliOk(["start", path]), cliOk(["start", path])]);
    const status: SetStatus = JSON.parse((await ok("status", "console", "-o", "json")).stdout);

    assert.ok(outcomes.some(({ stderr }) => stderr.includes(": started\n")));
    assert.equal(status.state, "running");
  });

  it("finds what is wrong with a component, with a fix for each finding", async () => {
    await ok("stop", "server1");
    await ok("stop", "kvdb");
    await rm(join(directory, "server1", "tls", "key.pem"));
    const { code, stdout, stderr } = await run("check-config", "server1", "-o", "json");
    const findings: { check: string; state: string; fix?: string }[] = JSON.parse(stdout);
    const stateOf = (check: string) => findings.find((found) => found.check === check);

    assert.equal(code, 1);
    assert.match(stderr, /1 of \d+ checks of .*server1 failed/);
    assert.equal(stateOf("server1: certificate")?.state, "failed");
    assert.equal(stateOf("server1: KVDB")?.state, "warning");
    assert.equal(stateOf("server1: ODB")?.state, "ok");
    assert.ok(findings.every(({ state, fix }) => state === "ok" || fix !== undefined));
  });

  it("gets a renewed certificate into a component", async () => {
    const list = JSON.parse((await ok("ca", "list", "ca", "-o", "json")).stdout);
    const { serial } = list.find((row: { identity: { role: string } }) =>
      row.identity.role === "server"
    );
    const before = await readFile(join(directory, "server1", "tls", "cert.pem"), "utf8");

    await ok("ca", "renew", "ca", serial, "--install", "server1");

    assert.notEqual(await readFile(join(directory, "server1", "tls", "cert.pem"), "utf8"), before);
    await ok("check-config", "server1");
    await ok("start", "prod");
    await ok("stop", "prod");
  });

  it("loses its ODB only when that is confirmed by name", async () => {
    const words = ["delete", "odb", "odb.db"];
    const refused = await runCaptured(words, { cwd: directory, answers: ["yes"] });
    const kept = await run("create", "odb", "odb.db");
    const done = await runCaptured(words, { cwd: directory, answers: ["odb.db"] });

    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Not confirmed, so nothing was changed: Drop every table.*prod/);
    assert.match(kept.stdout, /up to date/);
    assert.equal(done.code, 0);
    assert.match((await ok("create", "odb", "odb.db")).stdout, /it had 0/);
  });
});
