import type { Overview } from "../../shared/overview.ts";
import { ApiError, getJson } from "../api.ts";
import { setServerTime } from "./clock.ts";

/** The server says something at least every 15 s; silence for this long means a dead connection. */
const silenceMs = 40_000;
const retryMs = 2_000;
/** Points of the sparkline: two minutes. */
const pointsMax = 120;

/**
 * `live`: what is shown is how it is. `broken`: the stream was lost and is sought again.
 * `paused`: somebody wants to read in peace. `refused`: there is no such cluster.
 */
export type Phase = "connecting" | "live" | "broken" | "paused" | "refused";

export interface LiveState {
  readonly phase: Phase;
  /** When the phase began, milliseconds since 1970. */
  readonly since: number;
  readonly overview: Overview | null;
  /** Requests per second, oldest first; null while they were not known. */
  readonly rates: readonly (number | null)[];
  readonly problem: string | null;
}

/** One cluster's overview, live. Hidden tabs let go of it, so that nobody polls for them. */
export class OverviewStream {
  readonly #cluster: string;
  readonly #onSessionEnd: () => void;
  readonly #listeners = new Set<() => void>();
  #source: EventSource | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #sampler: ReturnType<typeof setInterval> | undefined;
  #state: LiveState = {
    phase: "connecting",
    since: Date.now(),
    overview: null,
    rates: [],
    problem: null,
  };

  constructor(cluster: string, { onSessionEnd }: { readonly onSessionEnd: () => void }) {
    this.#cluster = cluster;
    this.#onSessionEnd = onSessionEnd;
  }

  readonly subscribe = (listener: () => void): () => void => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getState = (): LiveState => this.#state;

  /** Begins to listen; returns what ends it. */
  start(): () => void {
    const onVisibility = () => (document.hidden ? this.#close() : this.#resume());
    document.addEventListener("visibilitychange", onVisibility);
    this.#sampler = setInterval(() => this.#sample(), 1_000);
    this.#open();
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      clearInterval(this.#sampler);
      this.#close();
    };
  }

  togglePause(): void {
    if (this.#state.phase === "paused") {
      this.#set({ phase: "connecting", since: Date.now() });
      this.#open();
    } else {
      this.#close();
      this.#set({ phase: "paused", since: Date.now() });
    }
  }

  #resume(): void {
    const { phase } = this.#state;
    if (phase !== "paused" && phase !== "refused" && this.#source === undefined) this.#open();
  }

  #open(): void {
    this.#close();
    if (document.hidden) return;
    const source = new EventSource(`/api/clusters/${encodeURIComponent(this.#cluster)}/events`);
    this.#source = source;
    source.addEventListener("overview", (event: MessageEvent<string>) => {
      const overview = JSON.parse(event.data) as Overview; // made by our own server
      setServerTime(overview.checkedAt);
      this.#heard({ overview });
    });
    source.addEventListener("heartbeat", () => this.#heard({}));
    source.addEventListener("session-ended", () => this.#endSession());
    source.onerror = () => this.#lost();
    this.#watch();
  }

  #heard(news: Partial<LiveState>): void {
    this.#watch();
    const isNew = this.#state.phase !== "live";
    this.#set({ ...news, ...(isNew ? { phase: "live", since: Date.now(), problem: null } : {}) });
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#lost(), silenceMs);
  }

  #lost(): void {
    this.#close();
    if (this.#state.phase !== "broken") this.#set({ phase: "broken", since: Date.now() });
    this.#watchdog = setTimeout(() => void this.#reconnect(), retryMs);
  }

  // The browser does not say why a stream was refused; an ordinary request does.
  async #reconnect(): Promise<void> {
    try {
      await getJson(`/api/clusters/${encodeURIComponent(this.#cluster)}/overview`);
    } catch (error) {
      const { status, detail } = error instanceof ApiError
        ? error.problem
        : { status: 0, detail: String(error) };
      if (status === 401) return this.#endSession();
      if (status === 404) return this.#set({ phase: "refused", problem: detail });
    }
    if (this.#state.phase === "broken") this.#open();
  }

  #endSession(): void {
    this.#close();
    this.#onSessionEnd();
  }

  #close(): void {
    clearTimeout(this.#watchdog);
    this.#source?.close();
    this.#source = undefined;
  }

  #sample(): void {
    const { overview, phase, rates } = this.#state;
    const rate = phase === "live" ? totalRate(overview) : null;
    if (phase === "paused" || document.hidden) return;
    this.#set({ rates: [...rates, rate].slice(-pointsMax) });
  }

  #set(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** Requests per second of the whole cluster: at the balancer, else over all servers. */
export function totalRate(overview: Overview | null): number | null {
  if (overview === null) return null;
  if (overview.balancer?.facts) return overview.balancer.facts.requestsPerSecond;
  const rates = overview.servers.flatMap(({ requestsPerSecond }) => requestsPerSecond ?? []);
  return rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0);
}
