import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { nearestName } from "../lib/nearest-name.ts";
import { RehearsalCluster, type RunCommand } from "./cluster.ts";
import { type RehearsalReport, runScenario } from "./drive.ts";
import { loadUpgradePath } from "./installation.ts";
import { startOwnCluster } from "./own-cluster.ts";
import { scenarios } from "./scenarios/registry.ts";
import type { Dose, Place, Scenario } from "./stage.ts";

export interface RehearsalOptions {
  readonly scenarios: readonly Scenario[];
  readonly dose: Dose;
  /** An environment that runs already; undefined: a cluster is made, and removed again. */
  readonly environment: string | undefined;
  /** Rehearse even where people work. */
  readonly production: boolean;
  /** Of the cluster that is made. */
  readonly servers: number;
  readonly odbUrl: string | undefined;
  readonly keep: boolean;
  readonly run: RunCommand;
  /** Runs command lines of a second installation, older or newer than this one. */
  readonly other: RunCommand | undefined;
  /** Rejects when the rehearsal is to end at once; what was made is removed all the same. */
  readonly interrupted: Promise<never>;
  /** Tells people what happens, one line at a time. */
  readonly say: (text: string) => void;
  /** Hears of each report as soon as it is there. */
  readonly onReport?: (report: RehearsalReport) => void;
}

/** A scenario that could not be rehearsed where it should have been. */
export interface LeftOut {
  readonly scenario: string;
  readonly reason: string;
}

export interface RehearsalResult {
  readonly reports: readonly RehearsalReport[];
  readonly leftOut: readonly LeftOut[];
  /** Of a cluster that was kept. */
  readonly directory: string | undefined;
}

/** Leader changes without end are asked for by name only. */
const notInAll = new Set(["leader-changes"]);

/** The scenarios of a name, or of `all`. Throws REHEARSAL_UNKNOWN with the nearest name. */
export function findScenarios(name: string): readonly Scenario[] {
  if (name === "all") return scenarios.filter((scenario) => !notInAll.has(scenario.name));
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found !== undefined) return [found];
  const near = nearestName(name, [...scenarios.map((scenario) => scenario.name), "all"]);
  throw new PlatformError("REHEARSAL_UNKNOWN", { scenario: name }, {
    ...(near === undefined ? {} : { details: [`The nearest name is ${near}`] }),
  });
}

/**
 * Rehearses scenarios one after another on one cluster. A scenario that cannot take place there is
 * an error when it was the only one, else it is left out with its reason.
 */
export async function rehearse(options: RehearsalOptions): Promise<RehearsalResult> {
  const { environment, keep, run, other, say } = options;
  if (environment !== undefined) {
    const cluster = await RehearsalCluster.open(environment, run);
    try {
      refuseUnfit(cluster, options);
      return await rehearseAll({ cluster, links: undefined }, options, !keep);
    } finally {
      cluster.close();
    }
  }
  const upgrade = other && await loadUpgradePath(run, other);
  const maker = upgrade === undefined ? "" : ` by ${upgrade.from.name}`;
  say(`A cluster is made and started${maker}`);
  const own = await startOwnCluster({ ...options, run: upgrade?.from.run ?? run, workers: 1 });
  let done = false;
  try {
    const result = await rehearseAll({ ...own, upgrade }, options, true);
    done = true;
    return keep ? { ...result, directory: own.cluster.directory } : result;
  } finally {
    if (keep) say(`The cluster stays in ${own.cluster.directory}`);
    else say(done ? "The cluster is removed" : "The cluster is removed after a failure");
    await own.end({ keep });
  }
}

async function rehearseAll(
  place: Place,
  { scenarios: wanted, dose, say, interrupted, onReport = () => {} }: RehearsalOptions,
  cleanUp: boolean,
): Promise<RehearsalResult> {
  const reports: RehearsalReport[] = [];
  const leftOut: LeftOut[] = [];
  for (const scenario of wanted) {
    say(`${scenario.name}: ${scenario.summary}`);
    try {
      const running = runScenario(scenario, { place, dose, say, cleanUp });
      const report = await Promise.race([running, interrupted]);
      reports.push(report);
      onReport(report);
    } catch (error) {
      const isUnfit = isPlatformError(error, "REHEARSAL_OWN_CLUSTER") ||
        isPlatformError(error, "REHEARSAL_NEEDS");
      if (!isUnfit || wanted.length === 1) throw error;
      say(error.message);
      leftOut.push({ scenario: scenario.name, reason: error.message });
    }
  }
  return { reports, leftOut, directory: undefined };
}

function refuseUnfit(cluster: RehearsalCluster, { production }: RehearsalOptions): void {
  const { directory, config: { environment }, servers } = cluster;
  if (environment === "production" && !production) {
    throw new PlatformError("REHEARSAL_PRODUCTION", { directory });
  }
  if (servers.length < 2) {
    const found = servers.length === 0 ? "no server" : "one server";
    throw new PlatformError("REHEARSAL_NO_SERVERS", { directory, found, needed: "two" });
  }
}
