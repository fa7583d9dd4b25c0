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
  /** Tells all servers that an invocation waits; many calls in a moment are one message. */
  announceWork(): void;
  /** Calls `listener` when any server announced work. */
  onWork(listener: () => void): void;
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

const channels = { revision: "revision", work: "invocations" } as const;
/** So long the calls of `announceWork` are gathered. */
const workGatheredMs = 20;

/** Opens the events over the KVDB; does not wait for it to answer. */
export async function openClusterEvents(
  { cluster, url, password, logger }: ClusterEventsOptions,
): Promise<ClusterEvents> {
  if (url === undefined) return withoutKvdb();
  const listeners = { revision: [] as (() => void)[], work: [] as (() => void)[] };
  const kvdb = openKvdb({
    url,
    cluster,
    logger,
    ...(password === undefined ? {} : { password }),
  });
  for (const topic of ["revision", "work"] as const) {
    await kvdb.subscribe(channels[topic], () => listeners[topic].forEach((listen) => listen()));
  }
  const publish = async (topic: keyof typeof channels, text: string) => {
    try {
      await kvdb.publish(channels[topic], text);
    } catch (error) {
      logger.debug("An announcement failed", { topic, reason: reasonOf(error) });
    }
  };
  let gathering: ReturnType<typeof setTimeout> | undefined;
  return {
    announce: (revision) => publish("revision", String(revision)),
    onAnnounced: (listener) => void listeners.revision.push(listener),
    announceWork() {
      gathering ??= setTimeout(() => {
        gathering = undefined;
        void publish("work", "");
      }, workGatheredMs);
    },
    onWork: (listener) => void listeners.work.push(listener),
    status: () => {
      return { engine: "redis", address: new URL(url).host, ...kvdb.status() };
    },
    close: () => {
      clearTimeout(gathering);
      return kvdb.close();
    },
  };
}

function withoutKvdb(): ClusterEvents {
  const since = new Date().toISOString();
  return {
    announce: () => Promise.resolve(),
    onAnnounced: () => {},
    announceWork: () => {},
    onWork: () => {},
    status: () => ({ state: "none", engine: "", address: "", since }),
    close: () => Promise.resolve(),
  };
}
