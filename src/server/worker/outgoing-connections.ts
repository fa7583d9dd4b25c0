import { z } from "zod";
import type { StoredObject } from "../../catalog/kind.ts";
import type { Outgoing, OutgoingStatus, PingResult } from "../../connectors/contract.ts";
import { outgoingDrivers } from "../../connectors/drivers.ts";
import { kinds } from "../../connectors/registry.ts";
import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { ClusterKey } from "../../security/cluster-key.ts";
import type { Call } from "../../service/call.ts";
import type { OutgoingClients, OutgoingSet } from "../../service/outgoing/outgoing-set.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Failure } from "./bundle-set.ts";

/** The kind of connection behind each protocol of `ctx.out`. */
const kindOf = {
  rest: "RestOutgoing",
  soap: "SoapOutgoing",
} as const satisfies Record<keyof OutgoingClients, string>;

export interface OutgoingConnectionsOptions {
  readonly key: ClusterKey;
  readonly cluster: string;
  readonly server: string;
  readonly logger: Logger;
}

/** An object of an outgoing kind, and what became of it. */
interface Connection {
  readonly object: StoredObject;
  /** What was looked up to open it: it is opened anew when one of them is another one now. */
  readonly lookups: ReadonlyMap<string, StoredObject | undefined>;
  readonly opened: Outgoing | PlatformError;
}

type Connections = ReadonlyMap<string, Connection>;

/**
 * The outgoing connections of this process. One lives for as long as its object, and what that
 * refers to, stay the same; then it is closed, and calls that are under way finish.
 */
export class OutgoingConnections {
  readonly #options: OutgoingConnectionsOptions;
  #connections: Connections = new Map();

  constructor(options: OutgoingConnectionsOptions) {
    this.#options = options;
  }

  /** Opens what is new, closes what is gone; the answer says what did not come to life. */
  async update(objects: Iterable<StoredObject>): Promise<readonly Failure[]> {
    const all = [...objects];
    const find = finder(all);
    const next = new Map<string, Connection>();
    for (const object of all) {
      if (!outgoingDrivers.has(object.kind)) continue;
      const id = idOf(object);
      const known = this.#connections.get(id);
      const isSame = known?.object === object && isUnchanged(known, find);
      next.set(id, isSame ? known : await this.#open(object, find));
    }
    const previous = this.#connections;
    this.#connections = next;
    for (const [id, connection] of previous) {
      if (next.get(id) !== connection) this.#close(connection);
    }
    return [...next.values()].flatMap(({ object: { kind, name }, opened }) =>
      opened instanceof PlatformError ? [{ kind, name, error: opened.message }] : []
    );
  }

  /** What services get: one immutable set for each configuration. */
  set(): OutgoingSet {
    const connections = this.#connections;
    return {
      client<P extends keyof OutgoingClients>(protocol: P, name: string, call: Call) {
        const { object, opened } = connectionOf(connections, kindOf[protocol], name);
        const { kind } = object;
        if (opened instanceof PlatformError) throw opened;
        if (!isActive(object)) throw new PlatformError("OUTGOING_INACTIVE", { kind, name });
        return opened.client(call) as OutgoingClients[P]; // the kind says which client it is
      },
    };
  }

  /**
   * Whether the other side answers; also of a connection that is not active. Rejects with what is
   * wrong: OUTGOING_*, SECURITY_*.
   */
  async ping(kind: string, name: string, timeoutMs: number): Promise<PingResult> {
    const { opened } = connectionOf(this.#connections, kind, name);
    if (opened instanceof PlatformError) throw opened;
    const abort = new AbortController();
    try {
      return await withTimeout(opened.ping(abort.signal), timeoutMs, () => {
        const error = new PlatformError("OUTGOING_TIMEOUT", { kind, name, timeoutMs });
        abort.abort(error);
        return error;
      });
    } catch (error) {
      if (isPlatformError(error)) throw error;
      const params = { kind, name, reason: reasonOf(error) };
      throw new PlatformError("OUTGOING_UNUSABLE", params, { cause: error });
    }
  }

  /** Undefined for an object that does not live here, or could not be opened. */
  status(kind: string, name: string): OutgoingStatus | undefined {
    const connection = this.#connections.get(`${kind}/${name}`);
    if (connection === undefined || connection.opened instanceof PlatformError) return undefined;
    const status = connection.opened.status();
    return isActive(connection.object) ? status : { ...status, state: "inactive" };
  }

  async #open(object: StoredObject, find: Finder): Promise<Connection> {
    const { kind, name } = object;
    const lookups = new Map<string, StoredObject | undefined>();
    try {
      const driver = await outgoingDrivers.get(kind)!(); // asked for kinds that have one
      const opened = driver.open(object, {
        ...this.#options,
        object(group, wanted) {
          const found = find(group, wanted);
          lookups.set(`${group}/${wanted}`, found);
          if (found !== undefined) return found;
          const reason = `The ${group} "${wanted}" is missing`;
          throw new PlatformError("OUTGOING_UNUSABLE", { kind, name, reason });
        },
      });
      return { object, lookups, opened };
    } catch (error) {
      return { object, lookups, opened: unusable(object, error) };
    }
  }

  #close({ object: { kind, name }, opened }: Connection): void {
    if (opened instanceof PlatformError) return;
    opened.close().catch((error) => {
      this.#options.logger.warn("An outgoing connection was not closed well", {
        kind,
        name,
        reason: reasonOf(error),
      });
    });
  }
}

type Finder = (group: "credential" | "data", name: string) => StoredObject | undefined;

function finder(objects: readonly StoredObject[]): Finder {
  const byName = new Map<string, StoredObject>();
  for (const object of objects) {
    const group = kinds.get(object.kind)?.group;
    if (group === "credential" || group === "data") byName.set(`${group}/${object.name}`, object);
  }
  return (group, name) => byName.get(`${group}/${name}`);
}

function isUnchanged({ lookups }: Connection, find: Finder): boolean {
  return [...lookups].every(([id, found]) => {
    const slash = id.indexOf("/");
    const group = id.slice(0, slash) as "credential" | "data"; // written so by the look-up
    return find(group, id.slice(slash + 1)) === found;
  });
}

function connectionOf(connections: Connections, kind: string, name: string): Connection {
  const found = connections.get(`${kind}/${name}`);
  if (found !== undefined) return found;
  const names = [...connections.values()].filter(({ object }) => object.kind === kind);
  const hint = didYouMean(name, names.map(({ object }) => object.name));
  throw new PlatformError("OUTGOING_UNKNOWN", { kind, name, hint });
}

function unusable({ kind, name }: StoredObject, error: unknown): PlatformError {
  if (isPlatformError(error, "OUTGOING_UNUSABLE")) return error;
  const reason = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
  return new PlatformError("OUTGOING_UNUSABLE", { kind, name, reason }, { cause: error });
}

function isActive({ spec }: StoredObject): boolean {
  return spec["active"] !== false;
}

function idOf({ kind, name }: StoredObject): string {
  return `${kind}/${name}`;
}
