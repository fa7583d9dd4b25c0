import type { KindRegistry } from "../catalog/kind.ts";
import type { DesiredState } from "../cluster/desired-state.ts";
import type { CertificateInUse } from "../cluster/status.ts";
import type { OdbLink } from "../cluster/odb-link.ts";
import type { Presence } from "../cluster/presence.ts";
import type { JsonClient } from "../mtls/client.ts";
import type { ApiRequest } from "../mtls/json-api.ts";
import type { ClusterKey } from "../security/cluster-key.ts";
import type { BundleFiles } from "../server/deploy/bundle-files.ts";
import type { TrialProcesses } from "../server/deploy/trial-processes.ts";
import type { Supervisor } from "../server/supervisor/supervisor.ts";
import type { NewInvocation } from "../service/durable-work.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Scheduler } from "../server/supervisor/scheduler/scheduler.ts";

/** What the routes work with: one server's parts. */
export interface AdminContext {
  readonly cluster: string;
  readonly supervisor: Supervisor;
  readonly desired: DesiredState;
  readonly link: OdbLink;
  readonly presence: Pick<Presence, "judgesSilence">;
  readonly kinds: KindRegistry;
  readonly bundles: BundleFiles;
  readonly trials: TrialProcesses;
  /** Seals the secrets of objects. */
  readonly clusterKey: ClusterKey;
  /** Tells the other servers that the cluster's revision was raised. Never fails. */
  readonly announce: (revision: number) => Promise<void>;
  /** Versions of a file whose code is kept. */
  readonly keepBundles: number;
  /** Keeps an invocation to be run later; resolves to its id. */
  readonly enqueue: (invocation: NewInvocation) => Promise<string>;
  /** Looks for invocations now, here and on the other servers. */
  readonly wakeInvocations: () => void;
  readonly scheduler: Scheduler;
  /** A client of another server's admin API. */
  readonly peer: (adminUrl: string) => JsonClient;
  /** The certificates that lie on disk, which the server would show if it started now. */
  readonly certificates: () => Promise<readonly CertificateInUse[]>;
  /** Has the server finish what it has and start anew. */
  readonly restart: () => void;
  readonly logger: Logger;
}

/**
 * Who is written down as the author of a change: `operator/cli`. The web admin speaks for its
 * users and names them: `web-admin/admin`; nobody else's word on that is taken.
 */
export function authorOf({ peer, headers }: ApiRequest): string {
  const user = headers["x-dragoman-user"];
  if (peer.role === "web-admin" && typeof user === "string") {
    return `web-admin/${user.replace(/[^\w.@-]/g, "_").slice(0, 100)}`;
  }
  return `${peer.role}/${peer.name}`;
}
