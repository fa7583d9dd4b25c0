import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadBalancerConfigSchema } from "../../config/schemas.ts";
import { isPlatformError } from "../../errors/platform-error.ts";
import type { JsonClient } from "../../mtls/client.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import { History } from "../configuration/history.ts";
import { type PeerRevisions, Peers } from "../configuration/peers.ts";
import { Arrangement } from "./arrangement.ts";
import { Operator } from "./operator.ts";

interface Balancer {
  readonly arrangement: Arrangement;
  readonly history: History;
  /** The connection of its peer to it. */
  readonly client: JsonClient;
}

interface Operated extends Balancer {
  readonly operator: Operator;
}

interface Hooks {
  /** Runs when a change has learnt what the peers have. */
  pulled?: () => Promise<unknown>;
  /** Runs before a peer hears what this one has. */
  asked?: () => Promise<unknown>;
}

const configuration = {
  text: () => "",
  render: () => Promise.resolve(""),
  check: async () => {},
  apply: async () => {},
};
const ana = { by: "operator/ana" };
const bob = { by: "operator/bob" };

describe("operators of two balancers", () => {
  let root: string;
  before(async () => root = await mkdtemp(join(tmpdir(), "dragoman-operators-")));
  after(() => rm(root, { recursive: true }));

  async function openBalancer(name: string, hooks: Hooks): Promise<Balancer> {
    const directory = await mkdtemp(join(root, "one-"));
    const base = loadBalancerConfigSchema.parse({
      name,
      cluster: "demo",
      engine: "haproxy",
      http: { port: 11223 },
      agent: { port: 20151 },
    });
    const history = await History.open(join(directory, "configuration"));
    const engine = { setServers: async () => {}, configuration };
    const file = join(directory, "servers.json");
    const arrangement = new Arrangement({
      ...{ base, registered: [], file, history, engine },
      logger: silentLogger,
    });
    const client = {
      get: async (path: string) => {
        const isLast = path.includes("last=1");
        const revisions = isLast ? history.revisions.slice(-1) : history.revisions;
        if (!isLast) await hooks.asked?.();
        return { revisions };
      },
      put: async (_path: string, body: PeerRevisions) => await arrangement.adopt(body.revisions),
      close: () => {},
    } as unknown as JsonClient; // all that a peer asks for
    return { arrangement, history, client };
  }

  function operate(balancer: Balancer, peer: Balancer, hooks: Hooks): Operated {
    const { arrangement, history } = balancer;
    const peers = new Peers({
      urls: ["peer"],
      open: () => peer.client,
      revisions: () => history.revisions,
      adopt: (revisions) => arrangement.adopt(revisions),
      logger: silentLogger,
    });
    const pull = async () => {
      await peers.pull();
      await hooks.pulled?.();
    };
    const push = () => peers.push();
    const operator = new Operator({ arrangement, history, configuration, peers: { pull, push } });
    return { ...balancer, operator };
  }

  /** Two with the servers a and b. */
  async function openPair(hooksOne: Hooks, hooksTwo: Hooks): Promise<[Operated, Operated]> {
    const one = await openBalancer("lb1", hooksOne);
    const two = await openBalancer("lb2", hooksTwo);
    const first = operate(one, two, hooksOne);
    await first.operator.addServer("a", "10.0.0.1:80", ana);
    await first.operator.addServer("b", "10.0.0.2:80", ana);
    return [first, operate(two, one, hooksTwo)];
  }

  /** Makes the next changes of both begin with what both know now. */
  function together(hooks: readonly Hooks[]): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    let waiting = hooks.length;
    for (const one of hooks) {
      one.pulled = () => {
        delete one.pulled;
        waiting -= 1;
        if (waiting === 0) resolve();
        return promise;
      };
    }
  }

  it("both keep what they were told is live, of changes made at the same time", async () => {
    const hooks: readonly [Hooks, Hooks] = [{}, {}];
    const [one, two] = await openPair(...hooks);
    together(hooks);

    const results = await Promise.all([
      one.operator.setWeight("a", 10, ana),
      two.operator.setWeight("b", 20, bob),
    ]);

    assert.deepEqual(results.map(({ changed }) => changed), [true, true]);
    for (const { arrangement } of [one, two]) {
      const { servers } = arrangement.document;
      assert.deepEqual([servers?.["a"]?.weight, servers?.["b"]?.weight], [10, 20]);
    }
    assert.deepEqual(one.history.heads(), two.history.heads());
  });

  it("hear it when the configuration that they edited has lost", async () => {
    const hooks: readonly [Hooks, Hooks] = [{}, {}];
    const [one, two] = await openPair(...hooks);
    const { head: base } = one.operator.view();
    together(hooks);

    const outcomes = await Promise.allSettled([
      one.operator.replace({ retries: 1 }, { ...ana, base }),
      two.operator.replace({ retries: 2 }, { ...bob, base }),
    ]);

    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    assert.equal(refused.length, 1, JSON.stringify(outcomes));
    assert.ok(isPlatformError(refused[0]!.reason, "BALANCER_CHANGED_MEANWHILE"));
    const winner = outcomes[0].status === "fulfilled" ? 1 : 2;
    for (const { arrangement } of [one, two]) assert.equal(arrangement.document.retries, winner);
  });

  it("lose nothing when the other changes between the two halves of an exchange", async () => {
    const hooks: Hooks = {};
    const [one, two] = await openPair({}, hooks);
    hooks.asked = async () => {
      delete hooks.asked;
      // Of the same number as the one that is passed on now, and later made.
      const { current } = two.history;
      const later = { revision: current!.revision + 1, at: "2999-01-01T00:00:00.000Z" };
      const document = { ...current!.document, retries: 1 };
      await two.arrangement.adopt([{ ...current!, ...later, origin: "lb2", document }]);
    };

    const { peers: [peer] } = await one.operator.setWeight("a", 10, ana);

    assert.equal(peer?.state, "in step");
    for (const { arrangement: { document } } of [one, two]) {
      assert.deepEqual([document.retries, document.servers?.["a"]?.weight], [1, 10]);
    }
  });
});
