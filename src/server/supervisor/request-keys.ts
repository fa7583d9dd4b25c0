import type { OdbLink } from "../../cluster/odb-link.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { KeptAnswer, KeyClaim, KeyProof, KeyStanding } from "../../odb/idempotency-types.ts";
import type { LeaseHolder } from "../../odb/lease-types.ts";
import type { ClusterStore } from "../../odb/types.ts";
import type { Logger } from "../../telemetry/logger.ts";

export interface RequestKeysOptions {
  readonly link: Pick<OdbLink, "use" | "status">;
  /** This life of this server. */
  readonly holder: LeaseHolder;
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
  readonly #begun = new Map<Asker, Map<string, KeyProof>>();
  /** What is still to be written, in order; as many as were in flight when the ODB went. */
  readonly #unwritten: Work[] = [];
  #mending: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RequestKeysOptions) {
    this.#options = { mendMs: 500, ...options };
  }

  /** Rejects, at once when that is known, when the ODB cannot be asked. */
  async claim(claim: KeyClaim, asker: Asker): Promise<KeyStanding> {
    const { link, holder } = this.#options;
    const { state, address, reason = "it did not answer" } = link.status();
    if (state === "down") throw new PlatformError("ODB_UNREACHABLE", { address, reason });
    const { id, cid } = claim;
    try {
      const standing = await link.use((store) => store.claimKey(claim, holder));
      if (standing.state === "ours") this.#note({ id, cid }, asker);
      return standing;
    } catch (error) {
      // It may be written all the same, and then nobody would ever settle it.
      this.#writeLater((store) => store.releaseKey({ id, cid }));
      throw error;
    }
  }

  /** Resolves when the answer is on disk; rejects when it will be written later. */
  async settle(
    { id, cid, answer }: KeyProof & { readonly answer: KeptAnswer },
    asker: Asker,
  ): Promise<void> {
    await this.#end({ id, cid }, asker, (store) => store.settleKey({ id, cid }, answer));
  }

  /** Resolves when the key is free again; rejects when it will be later. */
  async release({ id, cid }: KeyProof, asker: Asker): Promise<void> {
    await this.#end({ id, cid }, asker, (store) => store.releaseKey({ id, cid }));
  }

  #note(proof: KeyProof, asker: Asker): void {
    let begun = this.#begun.get(asker);
    if (begun === undefined) {
      begun = new Map();
      this.#begun.set(asker, begun);
      void asker.exited.then(() => this.#lose(asker));
    }
    begun.set(proof.cid, proof);
  }

  async #end({ cid }: KeyProof, asker: Asker, work: Work): Promise<void> {
    this.#begun.get(asker)?.delete(cid);
    try {
      await this.#options.link.use(work);
    } catch (error) {
      this.#writeLater(work);
      throw error;
    }
  }

  #lose(asker: Asker): void {
    const proofs = [...this.#begun.get(asker)?.values() ?? []];
    this.#begun.delete(asker);
    if (proofs.length > 0) this.#writeLater((store) => store.loseKeys(proofs), 0);
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
