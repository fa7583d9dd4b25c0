import type { OdbLink } from "../../cluster/odb-link.ts";
import type { Presence } from "../../cluster/presence.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { PatientClaim } from "../../http/idempotency/key-ledger.ts";
import { poll } from "../../lib/wait.ts";
import type { KeptAnswer, KeyClaim, KeyProof, KeyStanding } from "../../odb/idempotency-types.ts";
import type { LeaseHolder } from "../../odb/lease-types.ts";
import type { ClusterStore } from "../../odb/types.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { KeyQueues } from "./key-queues.ts";

export interface RequestKeysOptions {
  readonly link: Pick<OdbLink, "use" | "status">;
  /** This life of this server. */
  readonly holder: LeaseHolder;
  readonly presence: Pick<Presence, "isSeen" | "judgesSilence">;
  readonly logger: Logger;
  /** How often what could not be written is tried again. Default 500. */
  readonly mendMs?: number;
}

/** A worker process, as far as its requests depend on it. */
export interface Asker {
  /** Resolves when it has ended. */
  readonly exited: Promise<unknown>;
}

type Work = (store: ClusterStore) => Promise<void>;

/**
 * The idempotency keys of this server's requests in the ODB. Knows which requests each worker has
 * begun, so that those of a worker that ends are not waited for.
 */
export class RequestKeys {
  readonly #options: Required<RequestKeysOptions>;
  readonly #queues = new KeyQueues();
  /** Of each worker that lives; by correlation id. */
  readonly #begun = new Map<Asker, Map<string, KeyClaim>>();
  /** What is still to be written, in order; as many as were in flight when the ODB went. */
  readonly #unwritten: Work[] = [];
  /** How much is being written for the first time. */
  #writing = 0;
  #mending: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RequestKeysOptions) {
    this.#options = { mendMs: 500, ...options };
  }

  /**
   * Takes a key, or waits for what becomes of it. Rejects, at once when that is known, when the ODB
   * cannot be asked, or the other servers cannot know yet that this one lives.
   */
  async claim({ waitMs, ...claim }: PatientClaim, asker: Asker): Promise<KeyStanding> {
    this.#know(asker);
    return await this.#queues.wait(queueOf(claim), {
      asker,
      waitMs,
      ask: () => this.#ask(claim, asker),
    });
  }

  /** Resolves when the answer is on disk; rejects when it will be written later. */
  async settle(
    { id, cid, answer }: KeyProof & { readonly answer: KeptAnswer },
    asker: Asker,
  ): Promise<void> {
    await this.#end(cid, asker, (store) => store.settleKey({ id, cid }, answer));
  }

  /** Resolves when the key is free again; rejects when it will be later. */
  async release({ id, cid }: KeyProof, asker: Asker): Promise<void> {
    await this.#end(cid, asker, (store) => store.releaseKey({ id, cid }));
  }

  /**
   * Waits until all is written, for at most `limitMs`: what became of requests would not be known.
   * To be called when no worker is left.
   */
  async stop(limitMs = 2_000): Promise<void> {
    const isWritten = () => this.#unwritten.length + this.#writing === 0 || undefined;
    if (await poll(isWritten, { timeoutMs: limitMs, intervalMs: 20 })) return;
    this.#options.logger.warn("What became of requests with a key could not be written", {
      count: this.#unwritten.length + this.#writing,
    });
  }

  async #ask(claim: KeyClaim, asker: Asker): Promise<KeyStanding> {
    const { link, presence } = this.#options;
    const { state, address, reason = "it did not answer" } = link.status();
    if (state === "down") throw new PlatformError("ODB_UNREACHABLE", { address, reason });
    // Others would take its requests for those of a server that has gone.
    if (!presence.isSeen) throw new PlatformError("ODB_UNREACHABLE", { address, reason: unseen });
    let standing: KeyStanding;
    try {
      standing = await link.use((store) => this.#claimIn(store, claim));
    } catch (error) {
      // It may be written all the same, and then nobody would ever settle it.
      this.#writeLater((store) => this.#giveBack(store, claim));
      throw error;
    }
    if (standing.state === "ours") {
      const begun = this.#begun.get(asker);
      if (begun !== undefined) begun.set(claim.cid, claim);
      // Its worker has ended meanwhile and did not execute it.
      else this.#writeLater((store) => store.releaseKey(claim), 0);
    }
    return standing;
  }

  #claimIn(store: ClusterStore, claim: KeyClaim): Promise<KeyStanding> {
    const { holder, presence: { judgesSilence } } = this.#options;
    return store.claimKey(claim, holder, { judgesSilence });
  }

  /**
   * Of a claim that nobody knows to be written. The database may still be at it, and a deletion
   * would find nothing; the same claim once more waits until that has come to its end.
   */
  async #giveBack(store: ClusterStore, claim: KeyClaim): Promise<void> {
    await this.#claimIn(store, claim);
    await store.releaseKey(claim);
  }

  #know(asker: Asker): void {
    if (this.#begun.has(asker)) return;
    this.#begun.set(asker, new Map());
    void asker.exited.then(() => this.#lose(asker));
  }

  async #end(cid: string, asker: Asker, work: Work): Promise<void> {
    const begun = this.#begun.get(asker);
    const claim = begun?.get(cid);
    begun?.delete(cid);
    this.#writing++;
    try {
      await this.#options.link.use(work);
    } catch (error) {
      this.#writeLater(work);
      throw error;
    } finally {
      this.#writing--;
    }
    if (claim !== undefined) this.#queues.wake(queueOf(claim));
  }

  #lose(asker: Asker): void {
    const claims = [...this.#begun.get(asker)?.values() ?? []];
    this.#begun.delete(asker);
    this.#queues.leave(asker);
    if (claims.length > 0) this.#writeLater((store) => store.loseKeys(claims), 0);
  }

  #writeLater(work: Work, inMs: number = this.#options.mendMs): void {
    this.#unwritten.push(work);
    this.#mending ??= setTimeout(() => void this.#mend(), inMs).unref();
  }

  async #mend(): Promise<void> {
    const { link, logger, mendMs } = this.#options;
    try {
      while (this.#unwritten.length > 0) {
        await link.use(this.#unwritten[0]!);
        this.#unwritten.shift();
      }
      this.#mending = undefined;
    } catch (error) {
      const waiting = this.#unwritten.length;
      logger.debug("Idempotency keys wait to be written", { waiting, reason: reasonOf(error) });
      this.#mending = setTimeout(() => void this.#mend(), mendMs).unref();
    }
  }
}

const unseen = "this server has yet to report to it";

/** Equal requests wait together; others need not wait to hear that the key is another one's. */
function queueOf({ id, fingerprint }: KeyClaim): string {
  return `${id} ${fingerprint}`;
}
