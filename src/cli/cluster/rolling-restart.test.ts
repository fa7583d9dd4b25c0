import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServerStatus } from "../../admin-api/api.ts";
import { isPlatformError } from "../../errors/platform-error.ts";
import {
  type ClusterLook,
  type RestartableCluster,
  type RollingOptions,
  rollingRestart,
} from "./rolling-restart.ts";

interface Imagined {
  state: ServerStatus["state"] | "gone";
  life: number;
  requests: number;
  errors: number;
}

/** A cluster in which a server that was asked to restart is back two looks later. */
class ImaginedCluster implements RestartableCluster {
  readonly servers = new Map<string, Imagined>();
  readonly asked: string[] = [];
  /** What happens at each look after a restart was asked for. */
  onLook: (server: Imagined, looks: number) => void = (server, looks) => {
    server.state = looks < 2 ? "gone" : "up";
    if (looks === 2) server.life++;
  };
  /** Gets no traffic though it is up. */
  idle: string | undefined;
  #looks = 0;

  constructor(...names: readonly string[]) {
    for (const name of names) this.servers.set(name, { ...fresh });
  }

  look(): Promise<ClusterLook> {
    const current = this.asked.at(-1);
    if (current !== undefined) this.onLook(this.servers.get(current)!, this.#looks++);
    const entries = [...this.servers].map(([name, server]) => [name, statusOf(server)] as const);
    const up = [...this.servers].filter(([name, { state }]) => state === "up" && name !== this.idle)
      .map(([name]) => name);
    return Promise.resolve({
      servers: new Map(entries),
      balancer: { up: new Set(up), counters: [] },
    });
  }

  restart(name: string): Promise<string> {
    this.asked.push(name);
    this.#looks = 0;
    return Promise.resolve(`life ${this.servers.get(name)!.life}`);
  }
}

const fresh: Imagined = { state: "up", life: 1, requests: 1_000, errors: 10 };

function statusOf({ state, life, requests, errors }: Imagined): ServerStatus | string {
  if (state === "gone") return "connection refused";
  const status = {
    state,
    incarnation: `life ${life}`,
    version: "1.0.0",
    revision: 7,
    clusterRevision: 7,
    workers: [{ pid: life, requestsTotal: requests, errorsTotal: errors }],
  };
  return status as unknown as ServerStatus; // all that a rolling restart looks at
}

const options: RollingOptions = {
  limitMs: 50,
  errorBound: 0.01,
  progress: () => {},
  intervalMs: 1,
};

describe("rollingRestart", () => {
  it("restarts one server after the other and says how it goes", async () => {
    const cluster = new ImaginedCluster("server1", "server2");
    const lines: string[] = [];

    const result = await rollingRestart(cluster, {
      ...options,
      limitMs: 5_000,
      progress: (line) => lines.push(line.replace(/[\d.]+ s/, "N s")),
    });

    assert.deepEqual(cluster.asked, ["server1", "server2"]);
    assert.deepEqual(result.servers.map(({ name }) => name), ["server1", "server2"]);
    assert.deepEqual(lines.slice(0, 3), [
      "server1 (1 of 2): asked to restart",
      "server1 (1 of 2): stopped, starting anew",
      "server1 (1 of 2): back in N s at revision 7",
    ]);
  });

  it("does nothing while a server is not up", async () => {
    const cluster = new ImaginedCluster("server1", "server2");
    cluster.servers.get("server2")!.state = "joining";

    await assert.rejects(
      rollingRestart(cluster, options),
      (error) =>
        isPlatformError(error, "CLUSTER_NOT_WHOLE") &&
        /server2 is joining; nothing was restarted/.test(error.message),
    );
    assert.deepEqual(cluster.asked, []);
  });

  it("does nothing while a server gets no traffic", async () => {
    const cluster = new ImaginedCluster("server1", "server2");
    cluster.idle = "server2";

    await assert.rejects(
      rollingRestart(cluster, options),
      (error) =>
        isPlatformError(error, "CLUSTER_NOT_WHOLE") &&
        /no traffic to server2/.test(error.message),
    );
    assert.deepEqual(cluster.asked, []);
  });

  for (
    const [names, done] of [
      [["server1", "server2", "server3", "server4"], "not restarted are server3, server4"],
      [["server1", "server2"], "every server was restarted"],
    ] as const
  ) {
    it(`stops when what came back crashes later: ${done}`, async () => {
      const cluster = new ImaginedCluster(...names);
      const usual = cluster.onLook;
      cluster.onLook = (server, looks) => {
        usual(server, looks);
        if (cluster.asked.at(-1) === "server2") cluster.servers.get("server1")!.state = "gone";
      };

      await assert.rejects(
        rollingRestart(cluster, { ...options, limitMs: 5_000 }),
        (error) =>
          isPlatformError(error, "CLUSTER_NOT_WHOLE") &&
          error.message.endsWith(`server1 does not answer: connection refused; ${done}`),
      );
      assert.deepEqual(cluster.asked, ["server1", "server2"]);
    });
  }

  it("stops when a server does not come back, and names those that are left", async () => {
    const cluster = new ImaginedCluster("server1", "server2", "server3");
    cluster.onLook = (server) => server.state = "gone";

    await assert.rejects(
      rollingRestart(cluster, options),
      (error) =>
        isPlatformError(error, "CLUSTER_SERVER_MISSING") &&
        /server1 is not back .* stopped/.test(error.message) &&
        /server2, server3/.test(error.advice ?? ""),
    );
    assert.deepEqual(cluster.asked, ["server1"]);
  });

  it("stops when more requests fail than before", async () => {
    const cluster = new ImaginedCluster("server1", "server2");
    const other = cluster.servers.get("server2")!;
    cluster.onLook = () => {
      other.requests += 100;
      other.errors += 6;
    };

    await assert.rejects(
      rollingRestart(cluster, { ...options, limitMs: 5_000 }),
      (error) =>
        isPlatformError(error, "CLUSTER_ERRORS_RISE") &&
        /6 of 100 requests failed .*6\.00 % against 1\.00 % before/.test(error.message),
    );
    assert.deepEqual(cluster.asked, ["server1"]);
  });

  it("goes on when as many fail as always, counted anew by each process", async () => {
    const cluster = new ImaginedCluster("server1");
    const usual = cluster.onLook;
    cluster.onLook = (server, looks) => {
      usual(server, looks);
      Object.assign(server, looks < 2 ? {} : { requests: 2_000, errors: 20 });
    };

    const { requests, errors } = await rollingRestart(cluster, { ...options, limitMs: 5_000 });

    assert.deepEqual({ requests, errors }, { requests: 2_000, errors: 20 });
  });
});
