import { reasonOf } from "../../../src/errors/platform-error.ts";
import type { Logger } from "../../../src/telemetry/logger.ts";
import type { Overview } from "../../shared/overview.ts";
import { emptyHistory, remember } from "./history.ts";
import type { ClusterReadings, ClusterSource } from "./readings.ts";
import { type ClusterLabel, summarise } from "./summarise.ts";

/** A source is opened anew this often, so that renewed certificates come into use. */
const reopenMs = 10 * 60_000;

export interface ClusterWatchOptions {
  readonly cluster: ClusterLabel;
  readonly openSource: () => Promise<ClusterSource>;
  readonly logger: Logger;
  /** From the beginning of one look to that of the next. Default 1,000. */
  readonly intervalMs?: number;
}

/**
 * Looks at one cluster once a second while somebody watches, and not at all otherwise. All
 * watchers share the looks; they are told when something other than the time has changed.
 */
export class ClusterWatch {
  readonly #options: ClusterWatchOptions;
  readonly #listeners = new Set<(json: string) => void>();
  #source: { readonly source: ClusterSource; readonly openedAt: number } | undefined;
  #history = emptyHistory;
  #looking: Promise<Overview> | undefined;
  #latest: { readonly overview: Overview; readonly essence: string } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(options: ClusterWatchOptions) {
    this.#options = options;
  }

  /** What is known now: the last look while somebody watches, else a look for the asking. */
  latest(): Promise<Overview> {
    const isWatched = this.#listeners.size > 0 && this.#latest !== undefined;
    return isWatched ? Promise.resolve(this.#latest!.overview) : this.#look();
  }

  /** Calls `listener` with the overview as JSON, now or after the first look, and at each change. */
  subscribe(listener: (json: string) => void): () => void {
    const isFirst = this.#listeners.size === 0;
    this.#listeners.add(listener);
    if (isFirst) {
      this.#latest = undefined; // of the last time somebody watched
      void this.#run();
    } else if (this.#latest !== undefined) {
      const { overview } = this.#latest;
      queueMicrotask(() => listener(JSON.stringify(overview)));
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  /** Ends it for good. */
  stop(): void {
    this.#stopped = true;
    this.#listeners.clear();
    this.#rest();
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    const started = performance.now();
    await this.#look();
    if (this.#listeners.size === 0) return;
    const { intervalMs = 1_000 } = this.#options;
    const waitMs = Math.max(50, intervalMs - (performance.now() - started));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), waitMs);
  }

  #look(): Promise<Overview> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
      if (this.#listeners.size === 0) this.#rest();
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<Overview> {
    const { cluster, logger } = this.#options;
    const overview = this.#summarise(await this.#read());
    const essence = JSON.stringify({ ...overview, checkedAt: "" });
    if (overview.verdict.sentence !== this.#latest?.overview.verdict.sentence) {
      logger.debug("verdict", { cluster: cluster.name, verdict: overview.verdict.sentence });
    }
    const isNews = essence !== this.#latest?.essence;
    this.#latest = { overview, essence };
    if (isNews) this.#tell(JSON.stringify(overview));
    return overview;
  }

  #summarise(readings: ClusterReadings): Overview {
    const { cluster, logger } = this.#options;
    try {
      this.#history = remember(this.#history, readings);
      return summarise(readings, this.#history, cluster);
    } catch (error) {
      // An answer in a shape that only another version knows must not end the console.
      logger.warn("cannot understand what was seen", { cluster: cluster.name, error });
      const problem = `An answer could not be understood: ${reasonOf(error)}`;
      return summarise({ at: readings.at, servers: [], problem }, emptyHistory, cluster);
    }
  }

  #tell(json: string): void {
    for (const listener of [...this.#listeners]) listener(json);
  }

  async #read(): Promise<ClusterReadings> {
    const { cluster, logger, openSource } = this.#options;
    try {
      if (this.#source !== undefined && performance.now() - this.#source.openedAt > reopenMs) {
        this.#closeSource();
      }
      this.#source ??= { source: await openSource(), openedAt: performance.now() };
      return await this.#source.source.look();
    } catch (error) {
      if (!this.#stopped) logger.warn("cannot look", { cluster: cluster.name, error });
      return { at: new Date().toISOString(), servers: [], problem: reasonOf(error) };
    }
  }

  #rest(): void {
    clearTimeout(this.#timer);
    if (this.#looking === undefined) this.#closeSource();
  }

  #closeSource(): void {
    this.#source?.source.close();
    this.#source = undefined;
  }
}
