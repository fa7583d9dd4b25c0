import { PlatformError } from "../errors/platform-error.ts";
import { delay, poll } from "../lib/wait.ts";
import { type LoadEntry, type LoadOptions, runLoad } from "./load/ledger.ts";
import type { RawResponse } from "./load/raw-connection.ts";
import type { LocalServer, RehearsalCluster } from "./cluster.ts";
import { signalTree, treeGone } from "./faults/processes.ts";
import type { FaultRecord } from "./history/fault-log.ts";
import type { UpgradePath } from "./installation.ts";
import type { ServerLinks } from "./own-cluster.ts";
import type { PromiseRow } from "./promises.ts";
import type { Workload } from "./workload.ts";

/** How much of everything a rehearsal does. */
export interface Dose {
  /** How long the load goes on at least, in all. */
  readonly durationMs: number;
  /** Of all methods together. */
  readonly requestsPerSecond: number;
  /** How many planned times of jobs at least; undefined: what the duration gives. */
  readonly ticks: number | undefined;
  /** How long what is taken away stays away. */
  readonly outageMs: number;
}

/** What a scenario is and what it does while the load runs. */
export interface Scenario {
  readonly name: string;
  /** One line, sentence case, no full stop. */
  readonly summary: string;
  /** Jobs that are due every second while it runs. */
  readonly jobs: number;
  /** It goes on until there were as many ticks as asked for; others make more jobs for that. */
  readonly lastsForTicks?: true;
  /** A third of its POSTs carry an idempotency key. Not for scenarios that take the ODB away. */
  readonly withKeys?: true;
  /** Why it cannot be rehearsed here; undefined when it can. */
  unfit?(place: Place): string | undefined;
  /** Injects its faults, waits until the cluster is whole again, and says what it measured. */
  rehearse(stage: Stage): Promise<readonly PromiseRow[]>;
}

/** Where scenarios take place. */
export interface Place {
  readonly cluster: RehearsalCluster;
  /** Absent for a cluster that was not made for this. */
  readonly links: ReadonlyMap<string, ServerLinks> | undefined;
  /** Absent without a second installation. The cluster was made by the older one. */
  readonly upgrade?: UpgradePath | undefined;
}

/**
 * How long after a process was killed a request may still be sent to it: the balancer learns of it
 * from the connection that breaks.
 */
const killedCostsMs = 250;
/** Longest time for which it is waited that a killed process has ended. */
const killedMaxMs = 5_000;
/** How long a balancer may need until it sends nothing more to a server that has stopped answering. */
const frozenCostsMs = 5_000;

/** Above what the cluster itself allows, so that its answers are seen. */
const clientTimeoutMs = 20_000;

/** A load of requests to a path. */
type StageLoad =
  & Pick<
    LoadOptions,
    "method" | "body" | "withKeys" | "concurrency" | "ratePerSecond" | "onEnd"
  >
  & Partial<Pick<LoadOptions, "requests">>
  & Required<Pick<LoadOptions, "signal">>;

/** What a fault may cost, as FaultRecord says it. */
interface FaultCosts {
  readonly costsMs?: number;
  readonly leavesNobody?: true;
  readonly mayRefuse?: true;
}

/** What a scenario works with. */
export class Stage {
  readonly place: Place;
  readonly dose: Dose;
  readonly workload: Workload;
  readonly #entries: LoadEntry[] = [];
  /** Hears of each good answer as it comes, when it is set. */
  onAnswer: (entry: LoadEntry, answer: RawResponse) => void = () => {};
  readonly faults: FaultRecord[] = [];
  /** Since when the cluster has been warm: what was sent before is slow for no fault's sake. */
  timedFromMs = 0;
  /** Tells people what happens, one line at a time. */
  readonly say: (text: string) => void;

  constructor(parts: {
    readonly place: Place;
    readonly dose: Dose;
    readonly workload: Workload;
    readonly say: (text: string) => void;
  }) {
    this.place = parts.place;
    this.dose = parts.dose;
    this.workload = parts.workload;
    this.say = parts.say;
  }

  get cluster(): RehearsalCluster {
    return this.place.cluster;
  }

  /** What the load has seen so far; grows. */
  get entries(): readonly LoadEntry[] {
    return this.#entries;
  }

  /** Where clients find the cluster. Throws CLI_NO_BALANCER. */
  get balancerUrl(): string {
    const { directory, config: { balancerUrl } } = this.cluster;
    if (balancerUrl !== undefined) return balancerUrl;
    throw new PlatformError("CLI_NO_BALANCER", { directory });
  }

  /** Sends requests to a path until `signal` is aborted, or as many as asked for, and keeps account of all of them. */
  async load(path: string, { onEnd = () => {}, ...options }: StageLoad): Promise<void> {
    await runLoad({
      requests: Number.MAX_SAFE_INTEGER,
      ...options,
      url: `${this.balancerUrl}${path}`,
      headers: this.workload.headers,
      timeoutMs: clientTimeoutMs,
      onEnd: (entry, answer) => {
        this.#entries.push(entry);
        onEnd(entry, answer);
      },
    });
  }

  /** Writes a fault down as it begins. */
  begin(what: string, { costsMs, ...costs }: FaultCosts = {}): FaultRecord {
    const atMs = performance.now();
    const fault: FaultRecord = {
      what,
      atMs,
      ...(costsMs === undefined ? {} : { costsUntilMs: atMs + costsMs }),
      ...costs,
    };
    this.faults.push(fault);
    this.say(what);
    return fault;
  }

  /** Writes down that a fault is over, or since when it has been. */
  end(fault: FaultRecord, what: string, atMs = performance.now()): void {
    fault.untilMs = atMs;
    this.say(what);
  }

  /** SIGKILL to all servers at once; the fault is over with the first good answer after it. */
  async killAll(): Promise<FaultRecord> {
    const { cluster } = this;
    const trees = await Promise.all(cluster.servers.map((server) => cluster.processesOf(server)));
    const fault = this.begin("Every server is killed", { leavesNobody: true });
    for (const server of cluster.servers) cluster.setAway(server, true);
    for (const tree of trees) signalTree(tree, "SIGKILL");
    return fault;
  }

  /**
   * Waits for the first good answer to a request that was sent after `sinceMs`, from one server or
   * from any, and says when it came; undefined: none came within `timeoutMs`.
   */
  async answered(
    sinceMs: number,
    { server, timeoutMs }: { readonly server?: LocalServer; readonly timeoutMs: number },
  ): Promise<number | undefined> {
    return await poll(
      () =>
        this.entries.find((entry) =>
          entry.outcome === "ok" && entry.sentAtMs > sinceMs &&
          (server === undefined || entry.server === server.name)
        )?.endedAtMs,
      { timeoutMs },
    );
  }

  /**
   * SIGKILL to the supervisor and the workers at once, as when the machine goes; resolves when they
   * have ended, as whoever starts them again waits for it.
   */
  async kill(server: LocalServer): Promise<FaultRecord> {
    const tree = await this.cluster.processesOf(server);
    this.cluster.setAway(server, true);
    const fault = this.begin(`${server.name} is killed`, { costsMs: killedCostsMs });
    signalTree(tree, "SIGKILL");
    await treeGone(tree, { timeoutMs: killedMaxMs });
    return fault;
  }

  /** Starts a server that was killed or stopped, and waits until it takes traffic. */
  async revive(server: LocalServer, fault: FaultRecord): Promise<void> {
    await this.cluster.start(server.name);
    this.cluster.setAway(server, false);
    await this.cluster.recovered();
    this.end(fault, `${server.name} is back`);
  }

  /** SIGSTOP to all of a server for a time, then SIGCONT; `meanwhile` is awaited in between. */
  async pause(
    server: LocalServer,
    pauseMs: number,
    meanwhile: () => Promise<void> = () => Promise.resolve(),
  ): Promise<FaultRecord> {
    const tree = await this.cluster.processesOf(server);
    this.cluster.setAway(server, true);
    const fault = this.begin(`${server.name} is paused`, { costsMs: frozenCostsMs });
    signalTree(tree, "SIGSTOP");
    try {
      await Promise.all([delay(pauseMs), meanwhile()]);
    } finally {
      signalTree(tree, "SIGCONT");
      this.cluster.setAway(server, false);
    }
    this.end(fault, `${server.name} goes on`);
    return fault;
  }
}
