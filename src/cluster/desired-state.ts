import { isPlatformError, PlatformError, reasonOf } from "../errors/platform-error.ts";
import type { ClusterSnapshot } from "../odb/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { OdbLink } from "./odb-link.ts";
import type { SnapshotFile } from "./snapshot-file.ts";

export interface DesiredStateOptions {
  readonly link: OdbLink;
  readonly file: SnapshotFile;
  /** Brings a state to life. Called with one state at a time, the newest known. */
  readonly apply: (snapshot: ClusterSnapshot) => Promise<void>;
  readonly logger: Logger;
  /** How often the ODB is asked for its revision, hints or not. Default 2,000. */
  readonly pollMs?: number;
}

/**
 * Follows the cluster's desired state: looks at the ODB's revision every `pollMs` and whenever
 * hinted, reads the state when the revision is new, has it applied, and keeps it on disk.
 */
export class DesiredState {
  readonly #options: Required<DesiredStateOptions>;
  #revision = -1;
  #known = -1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(options: DesiredStateOptions) {
    this.#options = { pollMs: 2_000, ...options };
  }

  /** The newest revision heard of, whether or not it is applied yet. */
  get clusterRevision(): number {
    return this.#known;
  }

  /**
   * Applies the ODB's state, or the one on disk when the ODB is out of reach, and follows from
   * there. Throws SERVER_NO_STATE when there is neither.
   */
  async start(): Promise<void> {
    try {
      await this.#adopt(await this.#options.link.use((store) => store.snapshot()), { save: true });
    } catch (error) {
      if (!isPlatformError(error, "ODB_UNREACHABLE")) throw error;
      const saved = await this.#options.file.load();
      if (saved === undefined) {
        throw new PlatformError("SERVER_NO_STATE", { reason: reasonOf(error) }, { cause: error });
      }
      this.#options.logger.warn("Starting from the state saved on disk", {
        revision: saved.revision,
      });
      await this.#adopt(saved, { save: false });
    }
    this.#schedule();
  }

  /** Looks at the ODB now; returns when what it found is applied. Calls while one runs are merged. */
  async check(): Promise<void> {
    if (this.#stopped) return;
    this.#again = true;
    this.#round ??= this.#rounds().finally(() => this.#round = undefined);
    await this.#round;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  async #rounds(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        const revision = await this.#options.link.use((store) => store.revision());
        this.#known = Math.max(this.#known, revision);
        if (revision !== this.#revision) {
          await this.#adopt(await this.#options.link.use((store) => store.snapshot()), {
            save: true,
          });
        }
      } catch (error) {
        // Losing the ODB is logged by the link; anything else must be seen, and tried again.
        if (!isPlatformError(error, "ODB_UNREACHABLE")) {
          this.#options.logger.error("Following the cluster's state failed", { error });
        }
      }
    }
    this.#schedule();
  }

  async #adopt(snapshot: ClusterSnapshot, { save }: { readonly save: boolean }): Promise<void> {
    this.#known = Math.max(this.#known, snapshot.revision);
    await this.#options.apply(snapshot);
    this.#revision = snapshot.revision;
    if (save) await this.#save(snapshot);
  }

  async #save(snapshot: ClusterSnapshot): Promise<void> {
    try {
      await this.#options.file.save(snapshot);
    } catch (error) {
      // A full disk must not stop a change from going live; the next one tries to save again.
      this.#options.logger.error("The state could not be saved to disk", { error });
    }
  }

  #schedule(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.check(), this.#options.pollMs);
  }
}
