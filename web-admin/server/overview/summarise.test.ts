import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Overview } from "../../shared/overview.ts";
import { emptyHistory, remember } from "./history.ts";
import type { ClusterReadings } from "./readings.ts";
import {
  adminUrlOf,
  agentUrl,
  at,
  sampleBalanced,
  sampleBalancer,
  sampleReadings,
  sampleRegistered,
  sampleServer,
  sampleWorker,
  startedAt,
} from "./sample-readings.ts";
import { summarise } from "./summarise.ts";

const cluster = { name: "demo", environment: "development" } as const;
const down = { state: "down", engine: "sqlite", address: "odb.db", since: startedAt } as const;

/** The overview after looks at these readings, one after the other. */
function overviewOf(...looks: readonly ClusterReadings[]): Overview {
  const history = looks.reduce(remember, emptyHistory);
  return summarise(looks.at(-1)!, history, cluster);
}

function unreachable(name: string) {
  return { name, adminUrl: adminUrlOf(name), problem: "connection refused" };
}

describe("summarise", () => {
  it("says that everything runs, and who serves, when nothing is wrong", () => {
    const { verdict, attention, revision, odb } = overviewOf(sampleReadings());

    assert.deepEqual(verdict, {
      health: "good",
      sentence: "Everything runs",
      impact: "Requests are served by server1 and server2",
    });
    assert.deepEqual(attention, []);
    assert.equal(revision, 7);
    assert.equal(odb.condition, "up");
  });

  it("names a server that does not answer, why, and since when it was last seen", () => {
    const registered = sampleRegistered("server2", { state: "lost" });
    const servers = [sampleServer("server1"), { ...unreachable("server2"), registered }];
    const { verdict, attention, servers: views } = overviewOf(sampleReadings({ servers }));

    assert.equal(verdict.health, "bad");
    assert.equal(verdict.sentence, "1 thing needs attention: server2 does not answer");
    assert.deepEqual(attention.map(({ why, since, target }) => ({ why, since, target })), [
      { why: "connection refused", since: registered.lastSeenAt, target: "server-server2" },
    ]);
    assert.equal(views[1]?.condition, "lost");
    assert.equal(views[1]?.revision, 7);
    assert.equal(views[1]?.facts, null);
  });

  it("keeps the time at which a failure was first seen", () => {
    const servers = [sampleServer("server1"), unreachable("server2")];
    const first = sampleReadings({ servers, at: "2026-03-01T11:59:00.000Z" });
    const { attention } = overviewOf(first, sampleReadings({ servers }));

    assert.equal(attention[0]?.since, first.at);
  });

  it("forgets a failure that has passed", () => {
    const servers = [sampleServer("server1"), unreachable("server2")];
    const early = sampleReadings({ servers, at: "2026-03-01T11:58:00.000Z" });
    const well = sampleReadings({ at: "2026-03-01T11:59:00.000Z" });
    const { attention } = overviewOf(early, well, sampleReadings({ servers }));

    assert.equal(attention[0]?.since, at);
  });

  it("tells a server that left cleanly from one that is lost", () => {
    const registered = sampleRegistered("server2", { state: "down" });
    const servers = [sampleServer("server1"), { ...unreachable("server2"), registered }];
    const { verdict, servers: views } = overviewOf(sampleReadings({ servers }));

    assert.equal(verdict.health, "warning");
    assert.equal(verdict.sentence, "1 thing needs attention: server2 is stopped");
    assert.equal(views[1]?.condition, "stopped");
  });

  it("mentions a revision lag only when it lasts", () => {
    const servers = [
      sampleServer("server1", { revision: 14, clusterRevision: 14 }),
      sampleServer("server2", { revision: 12, clusterRevision: 14 }),
    ];
    const fresh = sampleReadings({ servers, at: "2026-03-01T11:59:50.000Z" });

    assert.deepEqual(overviewOf(fresh).attention, []);
    assert.equal(overviewOf(fresh).servers[1]?.step, "behind");
    assert.deepEqual(
      overviewOf(fresh, sampleReadings({ servers })).attention.map(({ what }) => what),
      ["server2 is behind: it runs revision 12 of 14"],
    );
  });

  it("notices servers that run different things at one revision", () => {
    const servers = [sampleServer("server1"), sampleServer("server2", { stateHash: "bb" })];
    const early = sampleReadings({ servers, at: "2026-03-01T11:59:50.000Z" });
    const { attention } = overviewOf(early, sampleReadings({ servers }));

    assert.equal(attention[0]?.what, "Servers run different things at revision 7");
    assert.equal(attention[0]?.why, "server1 / server2 have different state hashes");
  });

  it("says from which servers the ODB cannot be reached", () => {
    const odb = { ...down, reason: "connection refused" };
    const servers = [sampleServer("server1", { odb }), sampleServer("server2")];
    const { attention, odb: view } = overviewOf(sampleReadings({ servers }));

    assert.deepEqual(attention.map(({ what, why, since }) => ({ what, why, since })), [
      {
        what: "ODB cannot be reached from server1",
        why: "connection refused",
        since: startedAt,
      },
    ]);
    assert.equal(view.condition, "partly");
  });

  it("says that ODB and KVDB are down while requests are served all the same", () => {
    const servers = ["server1", "server2"].map((name) =>
      sampleServer(name, { odb: down, kvdb: down })
    );
    const { verdict } = overviewOf(sampleReadings({ servers }));

    assert.equal(verdict.sentence, "2 things need attention: ODB is down; KVDB is down");
    assert.equal(verdict.impact, "Requests are served by server1 and server2");
  });

  it("names jobs that will never run, one by one while they are few", () => {
    const alarmsOf = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ job: `a/${index}`, reason: "No such day" }));
    const attentionOf = (count: number) => {
      const servers = [sampleServer("server1", { alarms: alarmsOf(count) })];
      return overviewOf(sampleReadings({ servers })).attention;
    };

    const [one, ...others] = attentionOf(1);
    const [many, ...more] = attentionOf(12);

    assert.deepEqual([one?.what, one?.why, one?.target], [
      "Job a/0 is active and will never run",
      "No such day",
      "/clusters/demo/jobs?job=a%2F0",
    ]);
    assert.deepEqual([many?.what, many?.target], [
      "12 jobs are active and will never run",
      "/clusters/demo/jobs?state=alarm",
    ]);
    assert.deepEqual([others, more], [[], []]);
  });

  it("names a server that cannot write to its disk, with the reason", () => {
    const reason = "state: ENOSPC: no space left on device, write";
    const full = sampleServer("server1", { disk: { state: "down", since: startedAt, reason } });
    const { attention } = overviewOf(sampleReadings({ servers: [full] }));

    assert.equal(attention[0]?.what, "server1 cannot write to its disk");
    assert.equal(attention[0]?.why, reason);
  });

  it("gives the balancer's reason for a server that runs but gets nothing", () => {
    const balanced = sampleBalanced("server2", { state: "down", reason: "Layer7 check: 503" });
    const status = sampleBalancer([sampleBalanced("server1"), balanced]);
    const readings = sampleReadings({ balancer: { agentUrl, status } });
    const early = { ...readings, at: "2026-03-01T11:59:50.000Z" };
    const { attention, balancer, verdict } = overviewOf(early, readings);

    assert.equal(attention[0]?.what, "The balancer sends nothing to server2");
    assert.equal(attention[0]?.why, "Layer7 check: 503");
    assert.equal(balancer?.health, "warning");
    assert.equal(verdict.impact, "Requests are served by server1");
  });

  it("does not claim to know who serves while the agent is silent", () => {
    const balancer = { agentUrl, problem: "connection refused" };
    const { verdict, balancer: view } = overviewOf(sampleReadings({ balancer }));

    assert.match(verdict.sentence, /The balancer's agent does not answer/);
    assert.match(verdict.impact, /cannot be told/);
    assert.equal(view?.problem, "connection refused");
    assert.equal(view?.since, at);
  });

  it("says that no request is served when no server takes any", () => {
    const status = sampleBalancer([sampleBalanced("server1", { state: "down" })]);
    const servers = [unreachable("server1")];
    const { verdict } = overviewOf(sampleReadings({ servers, balancer: { agentUrl, status } }));

    assert.equal(verdict.health, "bad");
    assert.equal(verdict.impact, "No request is served");
  });

  it("lists objects that a server could not bring to life, with the reason", () => {
    const failures = [{ kind: "RestChannel", name: "crm", error: "no such service" }];
    const servers = [sampleServer("server1", { failures }), sampleServer("server2")];
    const { attention, servers: views } = overviewOf(sampleReadings({ servers }));

    assert.equal(attention[0]?.what, "RestChannel crm failed on server1");
    assert.equal(attention[0]?.why, "no such service");
    assert.equal(views[0]?.health, "bad");
  });

  it("mentions a replaced worker for a minute", () => {
    const replaced = (startedAt: string) => {
      const workers = [sampleWorker({ restarts: 3, startedAt })];
      const servers = [sampleServer("server1", { workers }), sampleServer("server2")];
      return overviewOf(sampleReadings({ servers })).attention.map(({ what }) => what);
    };

    assert.deepEqual(replaced("2026-03-01T11:59:30.000Z"), ["worker 0 of server1 was replaced"]);
    assert.deepEqual(replaced("2026-03-01T11:58:30.000Z"), []);
  });

  it("counts requests per second from two looks", () => {
    const look = (at: string, total: number) => {
      const workers = [sampleWorker({ requestsTotal: total })];
      const status = sampleBalancer([sampleBalanced("server1")], { requestsTotal: total * 2 });
      const servers = [sampleServer("server1", { workers })];
      return sampleReadings({ at, servers, balancer: { agentUrl, status } });
    };
    const first = look("2026-03-01T11:59:58.000Z", 100);

    assert.equal(overviewOf(first).servers[0]?.requestsPerSecond, null);
    const { servers, balancer } = overviewOf(first, look(at, 130));
    assert.equal(servers[0]?.requestsPerSecond, 15);
    assert.equal(balancer?.facts?.requestsPerSecond, 30);
  });

  it("explains that the console itself cannot look", () => {
    const problem = "the certificate has expired";
    const { verdict, attention } = overviewOf({ at, servers: [], problem });

    assert.equal(verdict.health, "bad");
    assert.equal(attention[0]?.what, "This console cannot look at the cluster");
    assert.equal(attention[0]?.why, problem);
  });
});
