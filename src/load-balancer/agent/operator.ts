import { stringify } from "yaml";
import { PlatformError } from "../../errors/platform-error.ts";
import type {
  ChangeResult,
  ConfigDocument,
  ConfigurationDiff,
  ConfigurationView,
  Revision,
  RevisionHead,
  RevisionKey,
  ServerSettings,
} from "../api.ts";
import {
  parseDocument,
  wholeDocument,
  withoutServer,
  withServer,
} from "../configuration/document.ts";
import { compareRevisions, fullIdOf, type History } from "../configuration/history.ts";
import { diffLines } from "../configuration/line-diff.ts";
import type { Peers } from "../configuration/peers.ts";
import type { EngineConfiguration } from "../engine.ts";
import type { Arrangement, Change } from "./arrangement.ts";

export interface OperatorOptions {
  readonly arrangement: Arrangement;
  readonly history: History;
  readonly configuration: EngineConfiguration;
  readonly peers: Pick<Peers, "pull" | "push">;
}

/** So often a change is made again when others, made at the same time, win over it. */
const attempts = 5;

/** Who changes something, why, and how firmly. */
export interface Author {
  readonly by: string;
  readonly why?: string | undefined;
  /** As in `Change`. */
  readonly force?: boolean | undefined;
}

/**
 * What people do with a balancer while it runs. Each change is passed on to the peers, and made
 * again when one that was made there at the same time wins over it: what somebody was told is live
 * has not been lost.
 */
export class Operator {
  readonly #options: OperatorOptions;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** Ends also what a server said of itself when it is asked to be ready. */
  async setState(
    name: string,
    state: NonNullable<ServerSettings["state"]>,
    author: Author,
  ): Promise<ChangeResult> {
    const { arrangement } = this.#options;
    arrangement.requireServer(name);
    const result = await this.#changeServer(name, { state }, author, `${state} ${name}`);
    if (state === "ready" && arrangement.isRegistered(name)) {
      await arrangement.setDraining(name, false);
    }
    return result;
  }

  setWeight(name: string, weight: unknown, author: Author): Promise<ChangeResult> {
    this.#options.arrangement.requireServer(name);
    // What is no weight is refused with the reason when the document is checked.
    const settings = { weight } as ServerSettings;
    return this.#changeServer(name, settings, author, `weight ${name} ${String(weight)}`);
  }

  /** Adds a server that does not register by itself. */
  addServer(name: string, address: unknown, author: Author): Promise<ChangeResult> {
    const settings = { address } as ServerSettings; // checked with the document
    return this.#changeServer(name, settings, author, `add ${name} ${String(address)}`);
  }

  /** Takes a server out, with all that was said of it; one that runs registers again by itself. */
  async removeServer(name: string, author: Author): Promise<ChangeResult> {
    const { arrangement } = this.#options;
    const wasRegistered = arrangement.isRegistered(name);
    const result = await this.#change({
      ...author,
      why: author.why ?? `remove ${name}`,
      next: (document) => withoutServer(document, name),
    });
    await arrangement.leave(name);
    return { ...result, changed: result.changed || wasRegistered };
  }

  setAlgorithm(algorithm: unknown, author: Author): Promise<ChangeResult> {
    return this.#change({
      ...author,
      why: author.why ?? `algorithm ${String(algorithm)}`,
      next: (document) => ({ ...document, algorithm }),
    });
  }

  view(): ConfigurationView {
    const { arrangement, history } = this.#options;
    const [head] = history.heads();
    const document = wholeDocument(arrangement.base, arrangement.document);
    return { ...(head === undefined ? {} : { head }), document };
  }

  /** Throws what `replace` would, and changes nothing. */
  async check(document: unknown): Promise<void> {
    const { arrangement, configuration } = this.#options;
    const wanted = this.#parse(document);
    await configuration.check(arrangement.setup({ document: wanted }));
  }

  /** From what holds to `document`, as `replace` would have it. */
  diff(document: unknown): Promise<ConfigurationDiff> {
    return this.#diff(this.#parse(document));
  }

  /** From what holds to an earlier revision, as `revert` would have it. */
  async diffTo(id: string): Promise<ConfigurationDiff> {
    const { document } = this.#options.arrangement;
    return await this.#diff(this.#parse(withStatesOf(this.find(id).document, document)));
  }

  /**
   * The whole configuration; what it does not name is as in config.yaml from now on, but servers
   * stay as they are when it names none.
   */
  replace(
    document: unknown,
    request: Author & { readonly base?: RevisionKey | null | undefined },
  ): Promise<ChangeResult> {
    const { why = "configuration applied" } = request;
    return this.#change({ ...request, why, next: (now) => withServersOf(now, document) });
  }

  history(): readonly RevisionHead[] {
    return this.#options.history.heads();
  }

  /** `0` is config.yaml by itself. Throws BALANCER_NO_SUCH_REVISION. */
  find(id: string): Revision {
    if (id !== "0") return this.#options.history.find(id);
    const origin = this.#options.arrangement.base.name;
    return { id, revision: 0, at: "", by: "", why: "config.yaml", origin, document: {} };
  }

  /**
   * Goes back to an earlier revision, as a new one. Which servers drain or are in maintenance is
   * left as it is: that speaks of the machines as they are today.
   */
  async revert(id: string, author: Author): Promise<ChangeResult> {
    const { document: then } = this.find(id);
    const next = (now: ConfigDocument) => withStatesOf(then, now);
    return await this.#change({ ...author, why: author.why ?? `revert to ${id}`, next });
  }

  async #diff(wanted: ConfigDocument): Promise<ConfigurationDiff> {
    const { arrangement, configuration } = this.#options;
    const { base, document } = arrangement;
    return {
      document: diffLines(
        stringify(wholeDocument(base, document)),
        stringify(wholeDocument(base, wanted)),
      ),
      native: diffLines(
        await configuration.render(arrangement.setup()),
        await configuration.render(arrangement.setup({ document: wanted })),
      ),
    };
  }

  #parse(document: unknown): ConfigDocument {
    const { arrangement } = this.#options;
    return parseDocument(withServersOf(arrangement.document, document), arrangement.base);
  }

  #changeServer(
    name: string,
    settings: ServerSettings,
    author: Author,
    what: string,
  ): Promise<ChangeResult> {
    const next = (document: ConfigDocument) => withServer(document, name, settings);
    return this.#change({ ...author, why: author.why ?? what, next });
  }

  async #change(change: Change): Promise<ChangeResult> {
    const { arrangement, history, peers } = this.#options;
    let lost: RevisionKey | undefined;
    for (let attempt = 0; attempt < attempts; attempt++) {
      await peers.pull();
      const made = await arrangement.change(change);
      const told = await peers.push();
      if (made === undefined || compareRevisions(made, history.current) === 0) {
        const changed = made !== undefined || lost !== undefined;
        return { revision: arrangement.revision, changed, peers: told };
      }
      lost = made;
    }
    throw new PlatformError("BALANCER_CHANGED_MEANWHILE", {
      revision: fullIdOf(history.current),
      base: fullIdOf(lost),
    });
  }
}

function withServersOf({ servers }: ConfigDocument, document: unknown): unknown {
  const isOpen = document !== null && typeof document === "object" && !Array.isArray(document);
  if (document === undefined || document === null) return { servers };
  return !isOpen || "servers" in document ? document : { ...document, servers };
}

function withStatesOf(then: ConfigDocument, now: ConfigDocument): ConfigDocument {
  const names = new Set([...Object.keys(then.servers ?? {}), ...Object.keys(now.servers ?? {})]);
  const servers = Object.fromEntries([...names].map((name) => [name, {
    ...then.servers?.[name],
    state: now.servers?.[name]?.state ?? "ready",
  }]));
  return { ...then, servers };
}
