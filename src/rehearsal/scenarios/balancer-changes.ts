import { isDeepStrictEqual } from "node:util";
import { isPlatformError, reasonOf } from "../../errors/platform-error.ts";
import { delay } from "../../lib/wait.ts";
import type { ConfigDocument } from "../../load-balancer/api.ts";
import type { AgentClient } from "../../load-balancer/client.ts";
import { formatMs, holds, none, noted, type PromiseRow } from "../promises.ts";
import type { Place, Scenario, Stage } from "../stage.ts";

/** A change of one field of the configuration. */
interface Change {
  readonly what: string;
  /** The field with what it is to be, made of what holds now. */
  field(now: ConfigDocument): ConfigDocument;
}

export const balancerChanges: Scenario = {
  name: "balancer-changes",
  summary: "Ten changes of the balancer's configuration, with wrong ones in between",
  jobs: 0,
  unfit: ({ cluster: { agent } }: Place) =>
    agent === undefined ? "it has no balancer with an agent" : undefined,
  async rehearse(stage) {
    const agent = stage.cluster.agent!; // or it would be unfit
    const { engine } = await agent.status();
    const before = await agent.configuration.show();
    const watch = new ChangeWatch(agent);
    const changes = goodChanges(stage, engine);
    const spaceMs = stage.dose.durationMs / changes.length;
    const fault = stage.begin("The balancer's configuration is changed");
    try {
      for (const [index, change] of changes.entries()) {
        const until = performance.now() + spaceMs;
        await watch.make(change);
        stage.say(`It has ${change.what}`);
        await watch.refuse(badChanges(engine)[index % badChanges(engine).length]!);
        await delay(Math.max(0, until - performance.now()));
      }
    } finally {
      await agent.configuration.revert(before.head?.id ?? "0", { why: "the rehearsal is over" });
      stage.end(fault, "The balancer's configuration is as before");
    }
    const { document } = await agent.configuration.show();
    return [
      ...watch.rows(engine),
      holds(
        "The configuration is afterwards as before",
        isDeepStrictEqual(document, before.document),
        "compared field by field",
      ),
    ];
  },
};

/** Makes changes, and notes what is not as it should be. */
class ChangeWatch {
  readonly #agent: AgentClient;
  readonly #failed: string[] = [];
  readonly #accepted: string[] = [];
  readonly #effects: string[] = [];
  readonly #timesMs: number[] = [];
  #refused = 0;

  constructor(agent: AgentClient) {
    this.#agent = agent;
  }

  async make({ what, field }: Change): Promise<void> {
    const { configuration } = this.#agent;
    const before = (await configuration.show()).document;
    const document = { ...before, ...field(before) };
    const began = performance.now();
    try {
      await configuration.apply({ document, why: `rehearsal: ${what}` });
      this.#timesMs.push(performance.now() - began);
    } catch (error) {
      this.#failed.push(`${what}: ${reasonOf(error)}`);
      return;
    }
    const after = (await configuration.show()).document;
    const isSame = isDeepStrictEqual(after, before) && !isDeepStrictEqual(document, before);
    if (isSame) this.#failed.push(`${what}: nothing has changed`);
  }

  /** Tries a change that the balancer cannot run: the one before it must go on. */
  async refuse({ what, field }: Change): Promise<void> {
    const { configuration } = this.#agent;
    const before = await configuration.show();
    try {
      await configuration.apply({ document: { ...before.document, ...field(before.document) } });
      this.#accepted.push(what);
    } catch (error) {
      const isRefusal = isPlatformError(error) && error.code.startsWith("BALANCER_");
      if (isRefusal) this.#refused += 1;
      else this.#accepted.push(`${what}: ${reasonOf(error)}`);
    }
    if (!isDeepStrictEqual(await configuration.show(), before)) this.#effects.push(what);
  }

  rows(engine: string): readonly PromiseRow[] {
    const times = this.#timesMs.toSorted((a, b) => a - b);
    const made = times.length + this.#failed.length;
    const wrong = this.#refused + this.#accepted.length;
    return [
      none(`Changes that did not go live, of ${made} (${engine})`, this.#failed),
      none(`Wrong changes that were not refused, of ${wrong}`, this.#accepted),
      none("Refused changes that had an effect", this.#effects),
      noted(
        "A change is live after",
        `p50 ${formatMs(times[Math.floor(times.length / 2)] ?? 0)}, max ${
          formatMs(times.at(-1) ?? 0)
        }`,
      ),
    ];
  }
}

function goodChanges({ cluster }: Stage, engine: "haproxy" | "embedded"): readonly Change[] {
  const weights = (one: number, other: number): Change["field"] => ({ servers = {} }) => {
    const [first, second] = cluster.servers.map(({ name }) => name);
    return {
      servers: {
        ...servers,
        [first!]: { ...servers[first!], weight: one },
        [second!]: { ...servers[second!], weight: other },
      },
    };
  };
  const algorithm = (name: string): Change => ({
    what: `the algorithm ${name}`,
    field: () => ({ algorithm: name }),
  });
  const shared = [
    { what: "other weights", field: weights(30, 170) },
    algorithm("leastconn"),
    { what: "opposite weights", field: weights(170, 30) },
    algorithm("hash:uri"),
    algorithm("roundrobin"),
  ];
  // The embedded engine takes weights and algorithms only while it runs.
  const own = engine === "haproxy" ? ofHaproxy : [
    { what: "nearer weights", field: weights(60, 140) },
    algorithm("hash:source"),
    { what: "weights the other way round", field: weights(140, 60) },
    { what: "half a weight", field: weights(100, 50) },
    { what: "least for the first", field: weights(1, 100) },
  ];
  return shared.flatMap((change, index) => [change, own[index]!]);
}

const line = "http-response set-header X-Dragoman-Rehearsal yes";
const ofHaproxy: readonly Change[] = [
  {
    what: "a line of one's own",
    field: ({ lines = {} }) => ({
      lines: { ...lines, frontend: [...lines["frontend"] ?? [], line] },
    }),
  },
  limit("limits", { headerBytes: 20_000 }),
  limit("timeouts", { connectMs: 1_500 }),
  {
    what: "that line no more",
    field: ({ lines = {} }) => ({
      lines: { ...lines, frontend: lines["frontend"]?.filter((one) => one !== line) ?? [] },
    }),
  },
  { what: "more connections", field: () => ({ maxConnections: 4_100 }) },
];

function badChanges(engine: "haproxy" | "embedded"): readonly Change[] {
  const what = engine === "haproxy" ? "a line in no language" : "a line, which it does not know";
  return [
    { what: "an algorithm that there is not", field: () => ({ algorithm: "fastest" }) },
    { what, field: ({ lines }) => ({ lines: { ...lines, backend: ["balance so so"] } }) },
    limit("limits", { headerBytes: 1 }),
    limit("timeouts", { serverMs: -1 }),
  ];
}

function limit(field: "limits" | "timeouts", values: Readonly<Record<string, number>>): Change {
  const what = Object.entries(values).map(([name, value]) => `${field}.${name} ${value}`).join();
  return { what, field: (now) => ({ [field]: { ...now[field], ...values } }) };
}
