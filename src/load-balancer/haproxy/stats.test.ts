import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HaproxyServer } from "./model.ts";
import { engineStatus, parseStat } from "./stats.ts";

const head = "# pxname,svname,scur,stot,econ,eresp,status,lastchg,check_status,check_code," +
  "last_chk,check_desc,req_tot,weight,smax,rate,-";
const servers: readonly HaproxyServer[] = [{
  name: "a",
  ip: "10.0.0.1",
  port: 80,
  draining: false,
  maintenance: false,
  weight: 100,
}];
const nowMs = Date.parse("2026-01-01T00:01:00.000Z");

function statusOf(row: string, more: Partial<HaproxyServer> = {}) {
  const rows = parseStat(`${head}\n${row}\n`);
  const [server] = engineStatus(rows, {
    servers: servers.map((one) => ({ ...one, ...more })),
    nowMs,
  }).servers;
  assert.ok(server);
  return server;
}

describe("parseStat", () => {
  it("reads rows by column name, with quotes, commas and empty fields", () => {
    const [row] = parseStat('# pxname,svname,last_chk\nservers,,"said ""no"", twice"\n\n');

    assert.deepEqual(row, { pxname: "servers", svname: "", last_chk: 'said "no", twice' });
  });

  it("reads nothing from something else", () => {
    assert.deepEqual(parseStat("Unknown command"), []);
    assert.deepEqual(parseStat(""), []);
  });
});

describe("engineStatus", () => {
  const cases: readonly [what: string, row: string, state: string, reason: string][] = [
    ["up", "UP,5,L7OK,200,,Layer7 check passed", "up", "Layer7 check passed: 200"],
    [
      "up while a check runs",
      "UP,5,* L7OK,200,,Layer7 check passed",
      "up",
      "Layer7 check passed: 200",
    ],
    ["up but failing", "UP 1/2,5,L7OK,200,,Layer7 check passed", "up", "Layer7 check passed: 200"],
    ["not checked yet", "UP,5,INI,,,Initializing", "starting", "no health check has ended yet"],
    [
      "refusing",
      "DOWN,5,L4CON,,Connection refused,Layer4 connection problem",
      "down",
      "Layer4 connection problem: Connection refused",
    ],
    [
      "unready",
      "DOWN,5,L7STS,503,Service Unavailable,Layer7 wrong status",
      "down",
      "Layer7 wrong status: 503 Service Unavailable",
    ],
    ["coming up", "DOWN 1/2,5,L7OK,200,,Layer7 check passed", "down", "Layer7 check passed: 200"],
  ];
  for (const [what, fields, state, reason] of cases) {
    it(`shows a server that is ${what} as ${state}`, () => {
      const server = statusOf(`servers,a,2,10,1,3,${fields},,80,9,3,`);

      assert.deepEqual(server, {
        name: "a",
        address: "10.0.0.1:80",
        state,
        since: "2026-01-01T00:00:55.000Z",
        reason,
        weight: 80,
        sessionsCurrent: 2,
        sessionsMax: 9,
        requestRate: 3,
        requestsTotal: 10,
        errorsTotal: 4,
      });
    });
  }

  it("shows a server of weight 0 as draining, and as down when it is", () => {
    const draining = { draining: true };
    assert.equal(statusOf("servers,a,0,0,0,0,UP,1,L7OK,200,,x,,", draining).state, "draining");
    assert.equal(statusOf("servers,a,0,0,0,0,DOWN,1,L4CON,,x,x,,", draining).state, "down");
  });

  it("shows a server that HAProxy does not have as down", () => {
    const server = statusOf("servers,b,0,0,0,0,UP,1,L7OK,200,,x,,");

    assert.equal(server.state, "down");
    assert.equal(server.reason, "HAProxy does not know it");
  });

  it("counts what came in at the front", () => {
    const rows = parseStat(`${head}\nclients,FRONTEND,7,9,,,OPEN,,,,,,1234,\n`);

    const { requestsTotal, sessionsCurrent } = engineStatus(rows, { servers: [], nowMs });

    assert.equal(requestsTotal, 1234);
    assert.equal(sessionsCurrent, 7);
  });

  it("does not let `since` waver by the second that HAProxy rounds", () => {
    const rows = (ago: number) => parseStat(`${head}\nservers,a,0,0,0,0,UP,${ago},L7OK,200,,x,,\n`);

    const before = engineStatus(rows(5), { servers, nowMs });
    const same = engineStatus(rows(5), { servers, nowMs: nowMs + 900, before });
    const other = engineStatus(rows(1), { servers, nowMs: nowMs + 60_000, before });

    assert.equal(same.servers[0]?.since, before.servers[0]?.since);
    assert.equal(other.servers[0]?.since, "2026-01-01T00:01:59.000Z");
  });
});
