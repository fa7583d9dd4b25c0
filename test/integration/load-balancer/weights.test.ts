import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { findFreePort } from "../../../src/lib/ports.ts";
import type { BackendServer } from "../../../src/load-balancer/engine.ts";
import { AgentCheck } from "../../../src/server/supervisor/agent-check.ts";
import { WorkerPool } from "../../../src/server/supervisor/worker-pool.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { channel, clusterKey, overload, storeBundle } from "../data-plane/worker-process.ts";
import { AnyBalancer, engines } from "./any-balancer.ts";
import { Load } from "./haproxy-client.ts";

/** One says who it is, the other holds the event loop. */
const services = `
const { defineService, z } = globalThis[Symbol.for("dragoman.module")];
export const name = defineService({
  name: "name",
  async handle({ server }) { return { server: server.name ?? server }; },
});
export const burn = defineService({
  name: "burn",
  async handle() {
    const until = performance.now() + 300;
    while (performance.now() < until);
    return {};
  },
});`;

/** The workers and the agent check of a server, without its control plane. */
class SmallServer implements AsyncDisposable {
  readonly pool: WorkerPool;
  readonly check: AgentCheck;
  readonly name: string;
  readonly port: number;
  #burning: Promise<void> | undefined;
  #isStopped = false;

  private constructor(name: string, port: number) {
    this.name = name;
    this.port = port;
    this.pool = new WorkerPool({
      count: 1,
      init: {
        ...{ server: name, cluster: "test", environment: "development", clusterKey },
        http: { host: "127.0.0.1", port },
        limits: { stallMs: 10_000, requestMs: 10_000, bodyBytes: 1_000, overload },
        ...{ logLevel: "error", trustedProxies: [], tls: undefined, kvdb: undefined },
        apiDocs: false,
      },
      drainMs: 1_000,
      logger: silentLogger,
      checkBundles: () => Promise.resolve(),
      onRequest: () => Promise.reject(new Error("Nothing is asked here")),
      onChange: () => {},
    });
    const vitals = () => this.pool.vitals();
    this.check = new AgentCheck({ host: "127.0.0.1", port: 0, vitals });
  }

  static async start(name: string): Promise<SmallServer> {
    const server = new SmallServer(name, await findFreePort());
    await server.pool.apply({
      revision: 1,
      objects: [channel("/", "name")],
      bundles: [await storeBundle(directory, { file: "services.ts", code: services })],
    });
    await server.check.start();
    return server;
  }

  get backend(): BackendServer {
    return {
      ...{ name: this.name, host: "127.0.0.1", port: this.port, draining: false },
      weightPort: this.check.port,
    };
  }

  /** Holds the worker's event loop again and again. */
  burn(): void {
    this.#isStopped = false;
    const call = { service: "burn", input: {}, cid: "burn", timeoutMs: 5_000 };
    this.#burning = (async () => {
      while (!this.#isStopped) await this.pool.pick().invoke(call);
    })();
  }

  async rest(): Promise<void> {
    this.#isStopped = true;
    await this.#burning;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rest();
    this.check.close();
    await this.pool.stop(500);
  }
}

let directory: string;
before(async () => directory = await mkdtemp(join(tmpdir(), "dragoman-weights-")));
after(() => rm(directory, { recursive: true }));

/** What part of 300 requests a server gets now. */
async function shareOf(name: string, port: number): Promise<number> {
  const load = new Load({ port });
  await load.further(300);
  const { ok, failures, byServer } = await load.stop();
  assert.deepEqual(failures, []);
  return (byServer.get(name) ?? 0) / ok;
}

describe("a server's agent check", () => {
  it("answers a share, and none once it drains", async () => {
    const check = new AgentCheck({ host: "127.0.0.1", port: 0, vitals: () => [] });
    await check.start();
    try {
      assert.equal(await text(connect(check.port, "127.0.0.1")), "100%\n");
      check.drain();
      assert.equal(await text(connect(check.port, "127.0.0.1")), "0%\n");
    } finally {
      check.close();
    }
  });
});

for (const engine of engines) {
  describe(`the ${engine} balancer`, () => {
    it("gives a server that struggles clearly less, and more again when it recovers", async () => {
      await using slow = await SmallServer.start("slow");
      await using quick = await SmallServer.start("quick");
      const servers = [slow.backend, quick.backend];
      await using balancer = await AnyBalancer.open({ engine, servers });
      const fair = await shareOf("slow", balancer.port);

      slow.burn();
      await balancer.until("slow", ({ weight }) => weight <= 25);
      const struggling = await shareOf("slow", balancer.port);
      await slow.rest();
      await balancer.until("slow", ({ weight }) => weight >= 90);
      const recovered = await shareOf("slow", balancer.port);

      assert.ok(fair > 0.4 && fair < 0.6, `${fair}`);
      assert.ok(struggling < 0.3, `${struggling}`);
      assert.ok(recovered > 0.4, `${recovered}`);
    });

    it("sends nothing to a server that drains, and follows one that starts anew", async () => {
      await using first = await SmallServer.start("first");
      await using second = await SmallServer.start("second");
      const servers = [first.backend, second.backend];
      await using balancer = await AnyBalancer.open({ engine, servers });

      first.check.drain();
      await balancer.until("first", ({ weight }) => weight === 0);
      assert.equal(await shareOf("first", balancer.port), 0);

      // The same server again, whose check has another port.
      const again = new AgentCheck({
        ...{ host: "127.0.0.1", port: 0, vitals: () => first.pool.vitals() },
      });
      await again.start();
      try {
        await balancer.engine.setServers([
          { ...first.backend, weightPort: again.port },
          second.backend,
        ]);
        await balancer.until("first", ({ weight }) => weight >= 90);
        assert.ok(await shareOf("first", balancer.port) > 0.3);
      } finally {
        again.close();
      }
    });

    it("keeps what operators ask for apart from what servers say", async () => {
      await using first = await SmallServer.start("first");
      await using second = await SmallServer.start("second");
      const { backend } = first;
      await using balancer = await AnyBalancer.open({
        ...{ engine, servers: [backend, second.backend] },
      });
      for (
        const [change, weight] of [
          [{ weight: 20 }, 20],
          [{ weight: 20, draining: true }, undefined],
          [{ weight: 100 }, 100],
        ] as const
      ) {
        await balancer.engine.setServers([{ ...backend, ...change }, second.backend]);
        if (weight === undefined) {
          await balancer.until("first", ({ state }) => state === "draining");
          assert.equal(await shareOf("first", balancer.port), 0);
        } else {
          await balancer.until("first", (one) => one.weight === weight && one.state === "up");
        }
      }
      const { servers } = await balancer.engine.status();
      assert.equal(servers.find(({ name }) => name === "first")?.weight, 100);
    });
  });
}
