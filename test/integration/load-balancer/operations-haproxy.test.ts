import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Code } from "../../../src/errors/codes.ts";
import { poll } from "../../../src/lib/wait.ts";
import { runLoad } from "../../../src/rehearsal/load/ledger.ts";
import { answers, openBench, untilServer, withCode } from "./bench.ts";
import { request } from "./haproxy-client.ts";

describe("operators of HAProxy", () => {
  it("lose no request by any change, under load that never retries", async () => {
    await using bench = await openBench("haproxy", ["a", "b", "c"]);
    const { setup, operator } = bench;
    const { configuration } = operator;

    let answered = 0;
    const enough = new AbortController();
    const running = runLoad({
      url: `http://127.0.0.1:${setup.port}/?ms=4`,
      method: "POST",
      body: "{}",
      requests: 20_000,
      onResponse: () => void answered++,
      signal: enough.signal,
    });
    const further = async (count: number) => {
      const wanted = answered + count;
      const came = await poll(() => answered >= wanted || undefined, {
        timeoutMs: 60_000,
        intervalMs: 5,
      });
      assert.ok(came, `${answered} of ${wanted} answers`);
    };
    for (let round = 1; round <= 3; round++) {
      await further(50);
      await operator.drain("a");
      await untilServer(
        operator,
        "a",
        (one) => one.state === "draining" && one.sessionsCurrent === 0,
      );
      await operator.ready("a");
      await operator.setWeight("b", 10 * round);
      await further(50);
      await operator.setAlgorithm("leastconn");
      await operator.maintenance("c");
      await further(50);
      const lines = { frontend: [`http-response set-header X-Round ${round}`] };
      await configuration.apply({ document: { lines, timeouts: { connectMs: 900 + round } } });
      await further(50);
      await configuration.revert("0");
    }
    await further(50);
    enough.abort();
    const { failed, ok, sent } = await running;

    assert.deepEqual(failed, []);
    assert.equal(ok, sent);
    assert.ok(ok >= 650, `${ok}`);
    assert.equal((await configuration.show()).document.algorithm, "roundrobin");
    // Maintenance of c outlasts the going back, so that it is a change only once.
    assert.equal((await configuration.history()).length, 3 * 7 - 2);
  });

  it("add lines of HAProxy's own language that survive everything", async () => {
    await using bench = await openBench("haproxy", ["a"]);
    const { setup, operator } = bench;
    const lines = {
      global: ["tune.bufsize 32768"],
      frontend: ["http-response set-header X-Front yes"],
      backend: ["http-response set-header X-Back yes"],
      sections: ["userlist people", "  user tim insecure-password x"],
    };

    await operator.configuration.apply({ document: { lines }, why: "headers" });
    const { headers } = await request(setup.port);
    assert.deepEqual([headers.get("x-front"), headers.get("x-back")], ["yes", "yes"]);
    await operator.setAlgorithm("leastconn");
    await setup.stop();
    await setup.start();
    await untilServer(operator, "a", ({ state }) => state === "up");

    assert.equal((await request(setup.port)).headers.get("x-front"), "yes");
    const { text } = await operator.config();
    assert.match(text, /\n {2}tune\.bufsize 32768\n/);
    assert.match(text, /\nuserlist people\n {2}user tim/);
    assert.deepEqual(
      (await operator.configuration.show()).document.lines?.["global"],
      lines.global,
    );
  });

  const refused: readonly (readonly [string, string, Code, RegExp])[] = [
    ["backend", "no-such-keyword at all", "BALANCER_CONFIG_REFUSED", /no-such-keyword/],
    ["backend", "frontend other", "BALANCER_BAD_LINES", /another section/],
    ["global", "stats socket /tmp/mine level admin", "BALANCER_BAD_LINES", /the agent needs/],
    ["global", "stats  socket /tmp/mine", "BALANCER_BAD_LINES", /the agent needs/],
    ["global", "'stats'  socket /tmp/mine", "BALANCER_BAD_LINES", /without quotes/],
    ["global", "lua-load /tmp/x.lua", "BALANCER_BAD_LINES", /the agent needs/],
    ["global", ".if 0", "BALANCER_BAD_LINES", /conditions/],
    ["sections", "program evil", "BALANCER_BAD_LINES", /cannot be added/],
    ["sections", "option httplog", "BALANCER_BAD_LINES", /before the first section/],
    ["frontend", "option httplog\n  bind *:1", "BALANCER_BAD_LINES", /control character/],
  ];
  it("are told what is wrong with lines, and nothing changes", async () => {
    await using bench = await openBench("haproxy", ["a"]);
    const { setup, operator: { config, configuration } } = bench;
    const before = (await config()).text;

    for (const [section, line, code, message] of refused) {
      const document = { lines: { [section]: [line] } };
      await assert.rejects(configuration.check(document), withCode(code, message));
      await assert.rejects(configuration.apply({ document }), withCode(code, message));
    }

    assert.equal((await config()).text, before);
    assert.deepEqual(await configuration.history(), []);
    assert.deepEqual(await readdir(join(setup.directory, "state", "configuration")), []);
    assert.deepEqual(await answers(setup.port, 2), { a: 2 });
  });

  it("may ask HAProxy what they like, but not tell it", async () => {
    await using bench = await openBench("haproxy", ["a"]);
    const { operator } = bench;

    assert.match(await operator.command("show  info"), /^Name: HAProxy$/m);
    assert.match(await operator.command("show servers state"), /servers/);
    assert.equal(await operator.command("clear counters"), "");
    for (
      const command of [
        "",
        "set server servers/a state maint",
        "disable frontend clients",
        "show info; shutdown frontend clients",
        "show info\nshutdown frontend clients",
        "show env",
        "show errors",
        "@1 show info",
        "expert-mode on",
      ]
    ) {
      await assert.rejects(
        operator.command(command),
        withCode("BALANCER_COMMAND_REFUSED"),
        command,
      );
    }
  });
});
