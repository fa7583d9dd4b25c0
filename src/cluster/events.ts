import { reasonOf } from "../errors/platform-error.ts";
import { openKvdb } from "../kvdb/client.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { DependencyStatus } from "./status.ts";

/** Word between the servers of a cluster that something changed. Losing any of it loses only time. */
export interface ClusterEvents {
  /** Tells all servers that the revision was raised. Never fails: they also look for themselves. */
  announce(revision: number): Promise<void>;
  /** Calls `listener` when any server announced something. */
  onAnnounced(listener: () => void): void;
  status(): DependencyStatus;
  close(): Promise<void>;
}

export interface ClusterEventsOptions {
  readonly cluster: string;
  /** Absent: no KVDB; servers learn of changes by looking at the ODB. */
  readonly url: string | undefined;
  readonly password: string | undefined;
  readonly logger: Logger;
}

const channel = "revision";

/** Opens the events over the KVDB; does not wait for it to answer. */
export async function openClusterEvents(
  { cluster, url, password, logger }: ClusterEventsOptions,
): Promise<ClusterEvents> {
  if (url === undefined) return withoutKvdb();
  const listeners: (() => void)[] = [];
  const kvdb = openKvdb({
    url,
    cluster,
    logger,
    ...(password === undefined ? {} : { password }),
  });
  await kvdb.subscribe(channel, () => listeners.forEach((listener) => listener()));
  return {
    async announce(revision) {
      try {
        await kvdb.publish(channel, String(revision));
      } catch (error) {
        logger.debug("The change could not be announced", { reason: reasonOf(error) });
      }
    },
    onAnnounced: (listener) => void listeners.push(listener),
    status: () => {
      return { engine: "redis", address: new URL(url).host, ...kvdb.status() };
    },
    close: () => kvdb.close(),
  };
}

function withoutKvdb(): ClusterEvents {
  const since = new Date().toISOString();
  return {
    announce: () => Promise.resolve(),
    onAnnounced: () => {},
    status: () => ({ state: "none", engine: "", address: "", since }),
    close: () => Promise.resolve(),
  };
}
