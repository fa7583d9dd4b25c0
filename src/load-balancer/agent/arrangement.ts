import { isDeepStrictEqual } from "node:util";
import type { LoadBalancerConfig } from "../../config/schemas.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { ConfigDocument, Registration, RevisionKey } from "../api.ts";
import { effectiveConfig, parseDocument } from "../configuration/document.ts";
import {
  compareRevisions,
  fullIdOf,
  type History,
  type StoredRevision,
} from "../configuration/history.ts";
import type { BalancerEngine, EngineSetup } from "../engine.ts";
import { createSerial } from "../serial.ts";
import { mergeServers, type RegisteredServer, renderServers } from "./registered-servers.ts";

/** How long what the engine refused is not tried again. */
const refusedForMs = 60_000;

export interface ArrangementOptions {
  /** config.yaml as it was read last. */
  readonly base: LoadBalancerConfig;
  readonly registered: readonly RegisteredServer[];
  /** `state/servers.json` */
  readonly file: string;
  readonly history: History;
  readonly engine: Pick<BalancerEngine, "setServers" | "configuration">;
  readonly logger: Logger;
}

/** A change of the configuration, as somebody asks for it. */
export interface Change {
  /** Such as `operator/ana`. */
  readonly by: string;
  readonly why: string;
  /** From the document that holds to the one that is to hold. */
  readonly next: (document: ConfigDocument) => unknown;
  /**
   * Refused with BALANCER_CHANGED_MEANWHILE when another revision holds; null: when anything was
   * changed since config.yaml.
   */
  readonly base?: RevisionKey | null | undefined;
  /** Also when that undoes a newer revision, which could not be taken over. Default: false. */
  readonly force?: boolean | undefined;
}

/** A revision of a peer that our engine did not take. */
interface Refused {
  readonly revision: StoredRevision;
  readonly error: unknown;
  readonly atMs: number;
}

/**
 * What the balancer is to be: config.yaml, what operators changed since, and the servers that
 * registered. Every change is live in the engine, and remembered for the next start, when its
 * promise resolves; changes happen one after the other, and a failed one changes nothing.
 */
export class Arrangement {
  readonly #options: ArrangementOptions;
  readonly #serial = createSerial();
  #base: LoadBalancerConfig;
  #registered: readonly RegisteredServer[];
  /** Newer than what holds, oldest first; asked again only after a while. */
  #refused: readonly Refused[] = [];

  constructor(options: ArrangementOptions) {
    this.#options = options;
    this.#base = options.base;
    this.#registered = options.registered;
  }

  get base(): LoadBalancerConfig {
    return this.#base;
  }

  get document(): ConfigDocument {
    return this.#options.history.current?.document ?? {};
  }

  /** 0: nothing was changed since config.yaml. */
  get revision(): number {
    return this.#options.history.current?.revision ?? 0;
  }

  /** What the engine is to run; other than what holds where something is given. */
  setup(
    { base = this.#base, document = this.document, registered = this.#registered }: {
      readonly base?: LoadBalancerConfig;
      readonly document?: ConfigDocument;
      readonly registered?: readonly RegisteredServer[];
    } = {},
  ): Required<EngineSetup> {
    return { config: effectiveConfig(base, document), servers: mergeServers(registered, document) };
  }

  isRegistered(name: string): boolean {
    return this.#registered.some((server) => server.name === name);
  }

  /** Adds a server, moves it to another address, ends its draining; or changes nothing. */
  register(name: string, registration: Registration): Promise<void> {
    return this.#changeServers("server registered", (servers) => [
      ...servers.filter((server) => server.name !== name),
      { name, ...registration, draining: false },
    ]);
  }

  /** Forgets a registration; a server that is not there is out already. */
  leave(name: string): Promise<void> {
    return this.#changeServers(
      "server left",
      (servers) => servers.filter((one) => one.name !== name),
    );
  }

  /** What a server says of itself. Throws BALANCER_NO_SUCH_SERVER. */
  setDraining(name: string, draining: boolean): Promise<void> {
    return this.#changeServers(draining ? "server drains" : "server is ready", (servers) => {
      this.requireServer(name);
      return servers.map((server) => server.name === name ? { ...server, draining } : server);
    });
  }

  /** Throws BALANCER_NO_SUCH_SERVER for one that neither registered nor was added nor is named. */
  requireServer(name: string): void {
    const names = [
      ...this.#registered.map((server) => server.name),
      ...Object.keys(this.document.servers ?? {}),
    ];
    if (names.includes(name)) return;
    throw new PlatformError("BALANCER_NO_SUCH_SERVER", { name, hint: didYouMean(name, names) });
  }

  /**
   * Makes a change live and keeps it as a revision, to which it resolves; to undefined when it was
   * so already. Throws BALANCER_BAD_CONFIGURATION, BALANCER_BAD_LINES, BALANCER_CONFIG_REFUSED,
   * BALANCER_CHANGED_MEANWHILE, BALANCER_BEHIND.
   */
  change(
    { by, why, next, base, force = false }: Change,
  ): Promise<StoredRevision | undefined> {
    return this.#serial(async () => {
      if (base !== undefined) this.#requireBase(base);
      const document = parseDocument(next(this.document), this.#base);
      if (isDeepStrictEqual(document, this.document)) return undefined;
      const newer = this.#refused.at(-1);
      if (newer !== undefined && !force) throw this.#behind(newer);
      const number = (newer?.revision.revision ?? this.revision) + 1;
      const at = new Date().toISOString();
      const revision = { revision: number, at, by, why, origin: this.#base.name, document };
      await this.#keep(revision);
      return revision;
    });
  }

  /**
   * Takes over what another agent of the cluster has: the newest revision becomes the one that
   * holds, all others go into the history. Throws as `change` does.
   */
  adopt(revisions: readonly StoredRevision[]): Promise<void> {
    return this.#serial(async () => {
      const { history } = this.#options;
      const fresh = revisions.filter((one) => !history.has(one)).toSorted(compareRevisions);
      const newest = fresh.at(-1);
      if (newest === undefined) return;
      const { current } = history;
      // First, so that those before it never hold, not even after a crash in between.
      if (compareRevisions(newest, current) > 0) await this.#takeOver(newest);
      for (const one of fresh) if (!history.has(one)) await history.add(one, async () => {});
    });
  }

  /** Puts another config.yaml in place of the one that holds. */
  rebase(base: LoadBalancerConfig): Promise<void> {
    return this.#serial(async () => {
      await this.#options.engine.configuration.apply(this.setup({ base }));
      this.#base = base;
    });
  }

  async #takeOver(newest: StoredRevision): Promise<void> {
    const isNewest = ({ revision }: Refused) => compareRevisions(revision, newest) === 0;
    const known = this.#refused.find(isNewest);
    // Trying to start HAProxy with what it does not take may cost clients a moment.
    if (known !== undefined && performance.now() - known.atMs < refusedForMs) throw known.error;
    try {
      await this.#keep({ ...newest, document: parseDocument(newest.document, this.#base) });
    } catch (error) {
      const refused = { revision: newest, error, atMs: performance.now() };
      this.#refused = [...this.#refused.filter((one) => !isNewest(one)), refused]
        .toSorted((a, b) => compareRevisions(a.revision, b.revision));
      throw error;
    }
  }

  #requireBase(base: RevisionKey | null): void {
    const { current } = this.#options.history;
    const wanted = base ?? undefined;
    if (compareRevisions(wanted, current) === 0) return;
    throw new PlatformError("BALANCER_CHANGED_MEANWHILE", {
      revision: fullIdOf(current),
      base: fullIdOf(wanted),
    });
  }

  /** A change would become a newer revision without any of what that one holds. */
  #behind({ revision: { revision, origin }, error }: Refused): PlatformError {
    return new PlatformError("BALANCER_BEHIND", {
      theirs: revision,
      origin,
      own: this.revision,
      reason: reasonOf(error),
    });
  }

  async #keep(revision: StoredRevision): Promise<void> {
    const { history, engine, logger } = this.#options;
    const { document, ...head } = revision;
    try {
      await history.add(revision, () => engine.configuration.apply(this.setup({ document })));
    } catch (error) {
      // What was made live but could not be kept must not go on; else this changes nothing.
      await engine.configuration.apply(this.setup());
      throw error;
    }
    this.#refused = this.#refused.filter((one) => compareRevisions(one.revision, revision) > 0);
    logger.info("balancer configuration changed", { ...head });
  }

  #changeServers(
    what: string,
    next: (servers: readonly RegisteredServer[]) => readonly RegisteredServer[],
  ): Promise<void> {
    return this.#serial(async () => {
      const registered = next(this.#registered).toSorted((a, b) => (a.name < b.name ? -1 : 1));
      // The engine is asked even when nothing differs: a host's address may have changed.
      await this.#options.engine.setServers(this.setup({ registered }).servers);
      const text = renderServers(registered);
      if (text === renderServers(this.#registered)) return;
      this.#registered = registered;
      await writeFileAtomic(this.#options.file, text);
      this.#options.logger.info(what, {
        servers: registered.map(({ name, host, port, draining }) =>
          `${name} ${host}:${port}${draining ? " draining" : ""}`
        ),
      });
    });
  }
}
