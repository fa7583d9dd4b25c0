import { isPlatformError } from "../errors/platform-error.ts";
import type { ServerReport, ServerState } from "../odb/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { OdbLink } from "./odb-link.ts";

export interface MembershipOptions {
  readonly link: OdbLink;
  readonly name: string;
  /** What to report; asked for anew at each report. */
  readonly report: () => ServerReport;
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
  #stopped = false;

  constructor(options: MembershipOptions) {
    this.#options = { intervalMs: 2_000, ...options };
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
    await this.#try(() =>
      this.#options.link.use((store) => store.setServerState(this.#options.name, state))
    );
  }

  async #rounds(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#again && !this.#stopped) {
      this.#again = false;
      await this.#try(() =>
        this.#options.link.use((store) => store.reportServer(this.#options.report()))
      );
    }
    if (!this.#stopped) {
      this.#timer = setTimeout(() => void this.report(), this.#options.intervalMs);
    }
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isPlatformError(error, "ODB_UNREACHABLE")) return; // the link has logged it
      this.#options.logger.error("Reporting to the ODB failed", { error });
    }
  }
}
