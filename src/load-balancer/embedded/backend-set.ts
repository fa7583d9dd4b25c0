import type { LoadBalancerConfig } from "../../config/schemas.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { BalancedServer } from "../api.ts";
import type { BackendServer } from "../engine.ts";
import { Backend } from "./backend.ts";
import { HealthChecks } from "./health-check.ts";

interface Member {
  readonly backend: Backend;
  readonly checks: HealthChecks;
}

/** The servers of a balancer, and whose turn it is. */
export class BackendSet {
  readonly #config: Pick<LoadBalancerConfig, "healthCheck">;
  readonly #logger: Logger;
  #members: readonly Member[] = [];
  #turn = 0;

  constructor(config: Pick<LoadBalancerConfig, "healthCheck">, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
  }

  /** Makes the set equal to `servers`; those that stay where they are keep health and figures. */
  reconcile(servers: readonly BackendServer[]): void {
    const before = this.#members;
    this.#members = servers.map((server) => {
      const same = before.find(({ backend }) =>
        backend.name === server.name && backend.host === server.host &&
        backend.port === server.port
      );
      same?.backend.setDraining(server.draining);
      return same ?? this.#add(server);
    });
    for (const member of before) {
      if (this.#members.includes(member)) continue;
      member.checks.stop();
      member.backend.retire();
      this.#logger.info("server left", { backend: member.backend.name });
    }
  }

  /** The next server in turn that takes requests and is not among `except`. */
  pick(except: ReadonlySet<Backend>): Backend | undefined {
    const count = this.#members.length;
    for (let step = 0; step < count; step++) {
      const index = (this.#turn + step) % count;
      const { backend } = this.#members[index]!;
      if (!backend.isAvailable || except.has(backend)) continue;
      this.#turn = (index + 1) % count;
      return backend;
    }
    return undefined;
  }

  /** Counts a connection that could not be made as a failed check. */
  noteUnreached(backend: Backend, reason: string): void {
    backend.note({ healthy: false, reason });
    this.recheck(backend);
  }

  /** Has a server checked now rather than at its next turn. */
  recheck(backend: Backend): void {
    this.#members.find((member) => member.backend === backend)?.checks.checkNow();
  }

  describe(): readonly BalancedServer[] {
    return this.#members.map(({ backend }) => backend.describe());
  }

  /** Ends the health checks and idle connections. Requests in flight are left alone. */
  stop(): void {
    for (const { backend, checks } of this.#members) {
      checks.stop();
      backend.retire();
    }
  }

  #add(server: BackendServer): Member {
    const { intervalMs, rise, fall } = this.#config.healthCheck;
    const backend = new Backend(server, { rise, fall, logger: this.#logger });
    const checks = new HealthChecks(backend, intervalMs);
    this.#logger.info("server joined", {
      backend: server.name,
      host: server.host,
      port: server.port,
    });
    checks.checkNow();
    return { backend, checks };
  }
}
