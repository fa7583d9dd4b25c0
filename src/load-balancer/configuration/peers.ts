import { reasonOf } from "../../errors/platform-error.ts";
import { delay, withTimeout } from "../../lib/wait.ts";
import type { JsonClient } from "../../mtls/client.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { PeerStatus } from "../api.ts";
import { compareRevisions, parseRevision, type StoredRevision } from "./history.ts";

/** How often two agents compare what they have, when nothing changes. */
const intervalMs = 2_000;
/** How long a change waits for a peer that may know of a later one. */
const pullTimeoutMs = 2_000;
/** A peer may have to check and reload its HAProxy. */
const pushTimeoutMs = 30_000;
/** So often one comparison exchanges what both have, when either changes again meanwhile. */
const exchangesMax = 3;

/** `GET /v1/peer/revisions?after=N` and the body of `PUT /v1/peer/revisions`. */
export interface PeerRevisions {
  /** Oldest first. */
  readonly revisions: readonly StoredRevision[];
}

export interface PeersOptions {
  readonly urls: readonly string[];
  readonly open: (url: string) => JsonClient;
  /** Everything that this agent has, oldest first. */
  readonly revisions: () => readonly StoredRevision[];
  readonly adopt: (revisions: readonly StoredRevision[]) => Promise<void>;
  readonly logger: Logger;
}

/**
 * Keeps the configurations of several agents in step: the newest wins, whoever made it, and one
 * that was away gets everything it missed. An agent that is away holds up nobody.
 */
export class Peers {
  readonly #options: PeersOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[] = [];
  #peers: readonly Peer[] = [];

  constructor(options: PeersOptions) {
    this.#options = options;
    this.setUrls(options.urls);
  }

  /** Compares now and from now on. */
  start(): void {
    this.#running.push(this.#run());
  }

  /** Other peers from now on, or the same ones with another certificate of ours. */
  setUrls(urls: readonly string[]): void {
    const before = this.#peers;
    this.#peers = urls.map((url) => new Peer(url, this.#options));
    for (const peer of before) peer.close();
  }

  status(): readonly PeerStatus[] {
    return this.#peers.map((peer) => peer.status);
  }

  /** Learns what the peers have that answer in time, so that a change builds on the newest. */
  async pull(): Promise<void> {
    const all = Promise.all(this.#peers.map((peer) => peer.sync()));
    await withTimeout(all, pullTimeoutMs, () => new Error("late")).catch(() => {}); // it tries on
  }

  /** Passes on what was changed here; resolves when every peer has taken it or said why not. */
  async push(): Promise<readonly PeerStatus[]> {
    await Promise.all(this.#peers.map((peer) => peer.sync()));
    return this.status();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const peer of this.#peers) peer.close();
    await Promise.all(this.#running);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await Promise.all(this.#peers.map((peer) => peer.sync()));
      await delay(intervalMs, { signal }).catch(() => {}); // the loop looks at the signal
    }
  }
}

class Peer {
  readonly #url: string;
  readonly #client: JsonClient;
  readonly #options: PeersOptions;
  #status: PeerStatus;
  #last: Promise<void> = Promise.resolve();

  constructor(url: string, options: PeersOptions) {
    this.#url = url;
    this.#options = options;
    this.#client = options.open(url);
    this.#status = { url, state: "unreachable", revision: null, reason: "not asked yet" };
  }

  get status(): PeerStatus {
    return this.#status;
  }

  /** One comparison after the other; never rejects. */
  sync(): Promise<void> {
    return this.#last = this.#last.then(() => this.#compare());
  }

  close(): void {
    this.#client.close();
  }

  async #compare(): Promise<void> {
    let theirs: StoredRevision | undefined;
    try {
      theirs = await this.#ask();
    } catch (error) {
      return this.#note("unreachable", null, reasonOf(error));
    }
    try {
      // Compared again after each exchange: a change that is made meanwhile may win over ours.
      for (let count = 0; compareRevisions(this.#ours, theirs) !== 0; count++) {
        if (count === exchangesMax) {
          return this.#note("behind", theirs?.revision ?? 0, "it changes at this moment");
        }
        await this.#exchange(Math.min(this.#ours?.revision ?? 0, theirs?.revision ?? 0) - 1);
        theirs = await this.#ask();
      }
      this.#note("in step", theirs?.revision ?? 0, "");
    } catch (error) {
      this.#note("behind", theirs?.revision ?? 0, reasonOf(error));
    }
  }

  get #ours(): StoredRevision | undefined {
    return this.#options.revisions().at(-1);
  }

  async #ask(): Promise<StoredRevision | undefined> {
    const timeoutMs = pullTimeoutMs;
    const { revisions } = await this.#client.get<PeerRevisions>(
      "/v1/peer/revisions?last=1",
      { timeoutMs },
    );
    return revisions.map(parseRevision).at(-1);
  }

  /** Both ways: of two changes that were made at the same time both sides keep the one that lost. */
  async #exchange(after: number): Promise<void> {
    const path = "/v1/peer/revisions";
    const theirs = await this.#client.get<PeerRevisions>(`${path}?after=${after}`);
    await this.#options.adopt(theirs.revisions.map(parseRevision));
    const revisions = this.#options.revisions().filter((one) => one.revision > after);
    await this.#client.put(path, { revisions }, { timeoutMs: pushTimeoutMs });
  }

  #note(state: PeerStatus["state"], revision: number | null, reason: string): void {
    if (state !== this.#status.state) {
      const fields = { peer: this.#url, state, ...(reason === "" ? {} : { reason }) };
      this.#options.logger.info("balancer peer", fields);
    }
    this.#status = { url: this.#url, state, revision, reason };
  }
}
