import { isPlatformError, PlatformError, reasonOf } from "../errors/platform-error.ts";
import { withTimeout } from "../lib/wait.ts";
import type { ClusterSnapshot, ClusterStore } from "../odb/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { DesiredStateMachine, type DesiredStep } from "./desired-state-machine.ts";
import type { OdbLink } from "./odb-link.ts";
import type { OwnDisk } from "./own-disk.ts";
import type { SnapshotFile } from "./snapshot-file.ts";

export interface DesiredStateOptions {
  readonly link: OdbLink;
  readonly file: SnapshotFile;
  readonly disk: Pick<OwnDisk, "keep">;
  /** Brings a state to life. Called with one state at a time, the newest known. */
  readonly apply: (snapshot: ClusterSnapshot) => Promise<void>;
  readonly logger: Logger;
  /** How often the ODB is asked for its revision, hints or not. Default 2,000. */
  readonly pollMs?: number;
}

/**
 * Follows the cluster's desired state: looks at the ODB's revision every `pollMs`, whenever hinted
 * and when a lost ODB is back, reads the state when the revision is new, has it applied, and keeps
 * it on disk. What it does when is decided by `DesiredStateMachine`.
 */
export class DesiredState {
  readonly #options: DesiredStateOptions;
  readonly #machine: DesiredStateMachine;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;

  constructor(options: DesiredStateOptions) {
    this.#options = options;
    const { pollMs = 2_000 } = options;
    this.#machine = new DesiredStateMachine({ pollMs, random: Math.random });
  }

  /** The revision that was heard last, whether or not it is applied yet. */
  get clusterRevision(): number {
    return this.#machine.known;
  }

  /**
   * Applies the ODB's state, or the one on disk when the ODB is out of reach, and follows from
   * there. Throws SERVER_NO_STATE when there is neither, SERVER_STATE_DAMAGED.
   */
  async start(): Promise<void> {
    const { link, file, logger } = this.#options;
    try {
      await this.#adopt(await link.use((store) => store.snapshot()), { save: true });
    } catch (error) {
      if (!isPlatformError(error, "ODB_UNREACHABLE")) throw error;
      const saved = await file.load();
      if (saved === undefined) {
        throw new PlatformError("SERVER_NO_STATE", { reason: reasonOf(error) }, { cause: error });
      }
      logger.warn("Starting from the state saved on disk", { revision: saved.revision });
      await this.#adopt(saved, { save: false });
      this.#machine.failed("unreachable");
    }
    link.onReturn(() => this.#lookIn(this.#machine.returned()));
    const step = this.#machine.next();
    this.#lookIn(step.do === "rest" ? step.ms : 0);
  }

  /** Not all of the newest state could be had: it is read again when the ODB next answers. */
  doubt(): void {
    this.#machine.doubt();
  }

  /** Looks at the ODB now; returns when what it found is applied. Calls while one runs are merged. */
  async check(): Promise<void> {
    if (this.#stopped) return;
    this.#machine.look();
    await (this.#round ??= this.#rounds());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  async #rounds(): Promise<void> {
    clearTimeout(this.#timer);
    let step = this.#machine.next();
    for (; step.do !== "rest" && !this.#stopped; step = this.#machine.next()) {
      try {
        await this.#carryOut(step);
      } catch (error) {
        // Losing the ODB is logged by the link; anything else must be seen, and tried again.
        const isUnreachable = isPlatformError(error, "ODB_UNREACHABLE");
        if (!isUnreachable) {
          this.#options.logger.error("Following the cluster's state failed", { error });
        }
        this.#machine.failed(isUnreachable ? "unreachable" : "other");
      }
    }
    // In the same moment in which nothing more is wanted: what comes now is another round's.
    this.#round = undefined;
    if (step.do === "rest") this.#lookIn(step.ms);
  }

  async #carryOut({ do: what, patienceMs }: Exclude<DesiredStep, { do: "rest" }>): Promise<void> {
    if (what === "ask") {
      return this.#machine.heard(await this.#ask((store) => store.revision(), patienceMs));
    }
    await this.#adopt(await this.#ask((store) => store.snapshot(), patienceMs), { save: true });
  }

  /** An answer that never comes must not keep us from asking over another connection. */
  #ask<T>(work: (store: ClusterStore) => Promise<T>, patienceMs: number): Promise<T> {
    const { link } = this.#options;
    return withTimeout(link.use(work), patienceMs, () => {
      const reason = `it gave no answer for ${patienceMs} ms`;
      return new PlatformError("ODB_UNREACHABLE", { address: link.status().address, reason });
    });
  }

  async #adopt(snapshot: ClusterSnapshot, { save }: { readonly save: boolean }): Promise<void> {
    this.#machine.read(snapshot.revision);
    await this.#options.apply(snapshot);
    this.#machine.adopted(snapshot.revision);
    const { disk, file } = this.#options;
    // A disk that takes nothing must not stop a change from going live: it is saved when it does.
    if (save) await disk.keep("state", () => file.save(snapshot));
  }

  #lookIn(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.check(), ms);
  }
}
