import { isPlatformError } from "../errors/platform-error.ts";
import type { ClusterStore, ServerReport, ServerState } from "../odb/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { OdbLink } from "./odb-link.ts";
import type { Presence } from "./presence.ts";

export interface MembershipOptions {
  readonly link: OdbLink;
  /** What to report; asked for anew at each report. */
  readonly report: () => ServerReport;
  /**
   * Takes the name for a life that began without the ODB and could not; false: it is another's.
   * Default: it always is.
   */
  readonly takeLate?: () => Promise<boolean>;
  /** Called once when another life of the same name has the row: no report follows. */
  readonly onRefused: () => void;
  /** Told of every report that was written. */
  readonly presence: Pick<Presence, "reported">;
  readonly logger: Logger;
  /** Default 2,000. */
  readonly intervalMs?: number;
}

/** Keeps a server's row in the ODB true: a report at every change, and one as a sign of life. */
export class Membership {
  readonly #options: Required<MembershipOptions>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #hadRow = false;
  #stopped = false;

  constructor(options: MembershipOptions) {
    this.#options = {
      intervalMs: 2_000,
      takeLate: () => Promise.resolve(false),
      ...options,
    };
    // The others have heard nothing for as long as the ODB was away.
    options.link.onReturn(() => void this.report());
  }

  /** Reports now, and from now on regularly. Calls while one runs are merged into one more. */
  async report(): Promise<void> {
    if (this.#stopped) return;
    this.#again = true;
    this.#round ??= this.#rounds().finally(() => this.#round = undefined);
    await this.#round;
  }

  /** Ends the reports with a last word. An ODB that is away does not delay it. */
  async leave(state: ServerState): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#try(async (store) =>
      void await store.setServerState(this.#options.report(), state)
    );
  }

  async #rounds(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#again && !this.#stopped) {
      this.#again = false;
      await this.#try(async (store) => {
        const { report, takeLate, presence } = this.#options;
        const at = performance.now();
        if (await store.reportServer(report())) {
          this.#hadRow = true;
          presence.reported(at);
        } else if (this.#hadRow || !await takeLate()) this.#refused();
      });
    }
    if (!this.#stopped) {
      this.#timer = setTimeout(() => void this.report(), this.#options.intervalMs);
    }
  }

  #refused(): void {
    this.#stopped = true;
    this.#options.onRefused();
  }

  async #try(work: (store: ClusterStore) => Promise<void>): Promise<void> {
    try {
      await this.#options.link.use(work);
    } catch (error) {
      if (isPlatformError(error, "ODB_UNREACHABLE")) return; // the link has logged it
      this.#options.logger.error("Reporting to the ODB failed", { error });
    }
  }
}
