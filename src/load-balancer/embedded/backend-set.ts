import type { IncomingMessage } from "node:http";
import type { LoadBalancerConfig } from "../../config/schemas.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { EngineServer } from "../api.ts";
import type { BackendServer } from "../engine.ts";
import { Backend } from "./backend.ts";
import { HealthChecks } from "./health-check.ts";
import type { HopTrust } from "./hop.ts";
import { createSelection, type Selection } from "./settings/selection.ts";
import { WeightChecks } from "./weight-checks.ts";

interface Member {
  readonly backend: Backend;
  readonly checks: HealthChecks;
  readonly weights: WeightChecks;
}

/** The servers of a balancer, and whose turn it is. */
export class BackendSet {
  readonly #config: Pick<LoadBalancerConfig, "healthCheck" | "algorithm">;
  readonly #logger: Logger;
  #members: readonly Member[] = [];
  readonly #trust: HopTrust;
  #selection: Selection;

  constructor(
    config: Pick<LoadBalancerConfig, "healthCheck" | "algorithm">,
    { logger, trust }: { readonly logger: Logger; readonly trust: HopTrust },
  ) {
    this.#config = config;
    this.#logger = logger;
    this.#trust = trust;
    this.#selection = createSelection(config.algorithm);
  }

  setAlgorithm(algorithm: string): void {
    this.#selection = createSelection(algorithm);
  }

  /** What the choice of a server depends on in this request. */
  keyOf(request: IncomingMessage): string | undefined {
    return this.#selection.keyOf(request);
  }

  /** Makes the set equal to `servers`; those that stay where they are keep health and figures. */
  reconcile(servers: readonly BackendServer[]): void {
    const before = this.#members;
    this.#members = servers.map((server) => {
      const same = before.find(({ backend }) =>
        backend.name === server.name && backend.host === server.host &&
        backend.port === server.port && backend.isTls === (server.tls === true)
      );
      same?.backend.arrange(server);
      return same ?? this.#add(server);
    });
    for (const member of before) {
      if (this.#members.includes(member)) continue;
      member.checks.stop();
      member.weights.stop();
      member.backend.retire();
      this.#logger.info("server left", { backend: member.backend.name });
    }
  }

  /** The server for a request with this key that takes requests and is not among `except`. */
  pick(except: ReadonlySet<Backend>, key?: string): Backend | undefined {
    const candidates = this.#members.map(({ backend }) => backend)
      .filter((backend) => backend.isAvailable && !except.has(backend));
    return candidates.length === 0 ? undefined : this.#selection.pick(candidates, key);
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

  describe(): readonly EngineServer[] {
    return this.#members.map(({ backend }) => backend.describe());
  }

  /** Ends the health checks and idle connections. Requests in flight are left alone. */
  stop(): void {
    for (const { backend, checks, weights } of this.#members) {
      checks.stop();
      weights.stop();
      backend.retire();
    }
  }

  #add(server: BackendServer): Member {
    const { intervalMs, rise, fall } = this.#config.healthCheck;
    const backend = new Backend(server, { rise, fall, trust: this.#trust, logger: this.#logger });
    const checks = new HealthChecks(backend, intervalMs);
    this.#logger.info("server joined", {
      backend: server.name,
      host: server.host,
      port: server.port,
    });
    checks.checkNow();
    return { backend, checks, weights: new WeightChecks(backend) };
  }
}
