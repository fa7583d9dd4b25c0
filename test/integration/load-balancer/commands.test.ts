import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type CapturedRun, runCaptured } from "../../../src/cli/captured-io.ts";
import { poll } from "../../../src/lib/wait.ts";
import { AgentSetup, createEnvironment } from "./agent-setup.ts";
import { request } from "./haproxy-client.ts";

describe("dragoman lb", () => {
  let setup: AgentSetup;
  let environment: string;
  /** The same one without the balancer that is away. */
  let whole: string;

  before(async () => {
    setup = await AgentSetup.open("haproxy");
    await setup.configure("healthCheck: { intervalMs: 200 }\nalgorithm: roundrobin");
    await setup.start();
    // The first is a balancer that is away: the command line uses the next.
    environment = await createEnvironment(setup, ["https://127.0.0.1:1", setup.agentUrl]);
    whole = await createEnvironment(setup, [setup.agentUrl]);
    for (const name of ["server1", "server2"]) {
      const { host, port } = await setup.backend(name);
      const self = await setup.client("server", name);
      await self.register(name, { host, port });
      await poll(async () => {
        const { servers } = await self.status();
        return servers.some((one) => one.name === name && one.state === "up") || undefined;
      }, { timeoutMs: 10_000 });
    }
  });
  after(() => setup[Symbol.asyncDispose]());

  async function lb(
    words: string,
    { directory = environment, ...more }: {
      readonly stdin?: string;
      readonly env?: Record<string, string>;
      readonly directory?: string;
    } = {},
  ): Promise<CapturedRun> {
    const all = ["lb", ...words.split(" "), "--env", directory];
    return await runCaptured(all, { cwd: setup.root, ...more });
  }

  async function ok(words: string, more: Parameters<typeof lb>[1] = {}): Promise<string> {
    const { code, stdout, stderr } = await lb(words, more);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  it("drains, and with --wait ends when the last request has been answered", async () => {
    const slow = [1, 2].map(() => request(setup.port, { path: "/?ms=700" }));
    const operator = await setup.client("operator", "ana");
    await poll(async () => {
      const { servers } = await operator.status();
      return servers.every(({ sessionsCurrent }) => sessionsCurrent === 1) || undefined;
    }, { timeoutMs: 5_000, intervalMs: 10 });

    const text = await ok("drain server1 --wait --why disk", { directory: whole });

    assert.equal(text, "server1 is drained: no sessions are left (revision 1)\n");
    const server = (await operator.status()).servers.find(({ name }) => name === "server1");
    assert.deepEqual([server?.state, server?.sessionsCurrent], ["draining", 0]);
    assert.deepEqual((await Promise.all(slow)).map(({ status }) => status), [200, 200]);
  });

  it("fails when requests are still there after the timeout", async () => {
    await ok("ready server1");
    await poll(async () => /server1 .* up /.test(await ok("status")) || undefined, {
      timeoutMs: 5_000,
    });
    const slow = [1, 2].map(() => request(setup.port, { path: "/?ms=2500" }));
    await poll(async () => / up .* 1 /.test(await ok("status")) || undefined, { timeoutMs: 5_000 });

    const { code, stderr } = await lb("drain server1 --wait --timeout 1", { directory: whole });

    assert.equal(code, 1);
    const missing = `"server1" is not drained at every balancer after 1 s: ${setup.agentUrl} has 1`;
    assert.ok(stderr.includes(missing), stderr);
    await Promise.all(slow);
    await ok("ready server1");
  });

  it("fails, and says which balancer was not asked, when one is away", async () => {
    const { code, stderr } = await lb("drain server1 --wait --timeout 1");

    assert.equal(code, 1);
    assert.match(stderr, /not drained at every balancer after 1 s: https:\/\/127\.0\.0\.1:1 does/);
    assert.ok(!stderr.includes(setup.agentUrl), stderr);
    await ok("ready server1");
  });

  it("says what each change came to, and shows it", async () => {
    assert.match(await ok("maintenance server2"), /^server2 is in maintenance \(revision \d+\)\n$/);
    assert.match(await ok("maintenance server2"), /^server2 is in maintenance, as before\n$/);
    assert.match(await ok("status"), /server2 .* maintenance .* 0 of 100 /);
    await ok("ready server2");
    assert.match(await ok("weight server1 50"), /server1 has weight 50/);
    assert.match(await ok("algorithm leastconn"), /chosen by leastconn/);
    assert.match(await ok("status"), /Algorithm: +leastconn\n/);
    await ok("server add old 127.0.0.1:9");
    const removed = await lb("server remove old");
    assert.equal(removed.code, 1); // the first balancer is away
    assert.match(
      removed.stdout,
      /^old is out of the balancer \(revision \d+\)\nhttps:\/\/127\.0\.0\.1:1 may have it still: ./,
    );
    const again = await ok("server remove old", { directory: whole });
    assert.equal(again, "old is out of the balancer, as before\n");
    assert.match(await ok("config history"), /operator\/ana +balancer +remove old\n/);
    assert.equal(JSON.parse(await ok("status -o json")).servers.length, 2);
  });

  const mistakes: readonly (readonly [string, number, RegExp])[] = [
    ["weight server1 much", 2, /"much" is not a weight/],
    ["weight server1 999", 1, /servers\.server1\.weight/],
    ["drain sever1", 1, /no server "sever1".*"server1"/],
    ["algorithm fastest", 1, /roundrobin, leastconn, hash:source/],
    ["server add x y", 1, /not host:port/],
    ["config diff", 2, /--file or --revision/],
    ["config revert 999", 1, /no revision "999"/],
    ["command shutdown frontend clients", 1, /not passed to HAProxy/],
    ["config apply -f nowhere.yaml", 1, /nowhere\.yaml/],
  ];
  for (const [words, code, message] of mistakes) {
    it(`explains why not: lb ${words}`, async () => {
      const result = await lb(words);
      assert.match(result.stderr, message);
      assert.equal(result.code, code);
    });
  }

  it("makes a new key towards servers at each balancer, and says which one it did not reach", async () => {
    const server = await setup.client("server", "server1");
    const before = await server.hopKeys();

    const { code, stdout } = await lb("hop-key rotate");

    const after = await server.hopKeys();
    assert.deepEqual([after.length, after[0]], [2, before[0]]);
    assert.notEqual(after[1], before[0]);
    assert.equal(code, 1); // the first balancer is away
    assert.match(stdout, /^https:\/\/127\.0\.0\.1:1 keeps its key: .+\n/);
    assert.ok(stdout.includes(`${setup.agentUrl} has a new key, used once the servers know it\n`));
    for (const key of after) assert.ok(!stdout.includes(key));
  });

  it("compares, checks, applies and reverts a configuration", async () => {
    const stdin = "lines: { backend: ['http-response set-header X-Text yes'] }\nretries: 1\n";
    const before = JSON.parse(await ok("config show -o json")).head.revision;

    const { code, stdout } = await lb("config diff -f -", { stdin });
    assert.equal(code, 3);
    assert.match(stdout, /^- algorithm: leastconn$/m);
    assert.match(stdout, /^\+ {3}retries 1$/m);
    assert.match(stdout, /^\+ {3}http-response set-header X-Text yes$/m);
    assert.equal(await ok("config check -f -", { stdin }), "The configuration is valid\n");
    await ok("config apply -f - --why text", { stdin });
    assert.equal((await request(setup.port)).headers.get("x-text"), "yes");
    assert.match(await ok("config show"), /^# Revision \d+: text \(operator\/ana, /);
    assert.match(await ok("config show --source"), /^frontend clients$/m);
    assert.match(await ok("config show --revision 1"), /server1:\n +state: drain\n/);

    await ok(`config revert ${before}`);
    assert.equal((await request(setup.port)).headers.get("x-text"), undefined);
    assert.equal((await lb(`config diff --revision ${before}`)).stdout, "No difference\n");
  });

  it("edits with the user's editor, and says what is wrong with what was saved", async () => {
    const editor = join(setup.root, "my editor");
    const seen = join(setup.root, "seen.yaml");
    const write = (script: string) => writeFile(editor, `#!/bin/sh\nset -e\n${script}\n`);
    await write(`cp "$2" '${seen}'\nsed -i 's/retries: 3/retries: 2/' "$2"`);
    await chmod(editor, 0o755);
    const env = { EDITOR: `'${editor}' --flag` };

    const { code, stdout, stderr } = await lb("config edit --why edited", { env });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^- retries: 3\n\+ retries: 2$/m);
    assert.match(stdout, /The configuration is live/);
    assert.match(await readFile(seen, "utf8"), /^# The balancer's configuration/);

    assert.match((await lb("config edit", { env: { EDITOR: "true" } })).stdout, /as before/);
    assert.match((await lb("config edit", { env: { EDITOR: "false" } })).stderr, /exit code 1/);
    await write(`sed -i 's/retries: 2/retries: no/' "$2"`);
    assert.match((await lb("config edit", { env })).stderr, /retries/);
    assert.match(await ok("config show"), /retries: 2\n/);
  });

  it("shows figures, and what HAProxy says", async () => {
    assert.match(await ok("stats"), /^server1 +UP /m);
    assert.ok(JSON.parse(await ok("stats -o json")).rows.length >= 4);
    assert.match(await ok("command show info"), /^Name: HAProxy$/m);
    assert.equal(await ok("command clear counters"), "Done\n");
  });

  it("takes config.yaml anew", async () => {
    await setup.configure("maxConnections: 321");
    assert.match(await ok("config apply"), /config\.yaml and certificates were read anew/);
    assert.match(await ok("config show"), /maxConnections: 321\n/);
  });
});
