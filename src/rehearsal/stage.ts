import { delay } from "../lib/wait.ts";
import type { LoadEntry } from "./load/ledger.ts";
import type { RawResponse } from "./load/raw-connection.ts";
import type { LocalServer, RehearsalCluster } from "./cluster.ts";
import { signalTree } from "./faults/processes.ts";
import type { FaultRecord } from "./history/fault-log.ts";
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
}

/**
 * How long after a process was killed a request may still be sent to it: the balancer learns of it
 * from the connection that breaks.
 */
const killedCostsMs = 250;
/** How long a balancer may need until it sends nothing more to a server that has stopped answering. */
const frozenCostsMs = 5_000;

/** What a scenario works with. */
export class Stage {
  readonly place: Place;
  readonly dose: Dose;
  readonly workload: Workload;
  /** What the load has seen so far; grows. */
  readonly entries: readonly LoadEntry[];
  /** Hears of each good answer as it comes, when it is set. */
  onAnswer: (entry: LoadEntry, answer: RawResponse) => void = () => {};
  readonly faults: FaultRecord[] = [];
  /** Tells people what happens, one line at a time. */
  readonly say: (text: string) => void;

  constructor(parts: {
    readonly place: Place;
    readonly dose: Dose;
    readonly workload: Workload;
    readonly entries: readonly LoadEntry[];
    readonly say: (text: string) => void;
  }) {
    this.place = parts.place;
    this.dose = parts.dose;
    this.workload = parts.workload;
    this.entries = parts.entries;
    this.say = parts.say;
  }

  get cluster(): RehearsalCluster {
    return this.place.cluster;
  }

  /** Writes a fault down as it begins. */
  begin(what: string, { costsMs }: { readonly costsMs?: number } = {}): FaultRecord {
    const atMs = performance.now();
    const fault = {
      what,
      atMs,
      ...(costsMs === undefined ? {} : { costsUntilMs: atMs + costsMs }),
    };
    this.faults.push(fault);
    this.say(what);
    return fault;
  }

  end(fault: FaultRecord, what: string): void {
    fault.untilMs = performance.now();
    this.say(what);
  }

  /** SIGKILL to the supervisor and the workers at once, as when the machine goes. */
  async kill(server: LocalServer): Promise<FaultRecord> {
    const tree = await this.cluster.processesOf(server);
    this.cluster.setAway(server, true);
    const fault = this.begin(`${server.name} is killed`, { costsMs: killedCostsMs });
    signalTree(tree, "SIGKILL");
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
