import { Agent } from "node:http";
import type { Logger } from "../../telemetry/logger.ts";
import { renderAddress } from "../address.ts";
import type { BalancedServer, BalancedServerState } from "../api.ts";
import type { BackendServer } from "../engine.ts";

/** What a health check, or a broken connection on real traffic, says of a server. */
export interface CheckResult {
  readonly healthy: boolean;
  /** In words, such as `Layer7 check: 503`. */
  readonly reason: string;
}

export interface BackendOptions {
  /** Good checks in a row that bring it up. */
  readonly rise: number;
  /** Failed checks in a row that take it down. */
  readonly fall: number;
  readonly logger: Logger;
}

/**
 * One server as the balancer sees it: its health, its figures and its idle connections.
 *
 *   starting --rise good checks--> up --fall failed checks--> down --rise good checks--> up
 *   starting --fall failed checks--> down
 *
 * Draining lies over that: health is still followed, so that a server that comes back is up at once.
 */
export class Backend {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Connections to this server that are kept open between requests. */
  readonly agent: Agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
  readonly #options: BackendOptions;
  #health: Exclude<BalancedServerState, "draining"> = "starting";
  #reason = "Not checked yet";
  #since = new Date();
  #streak = 0;
  #draining = false;
  #retired = false;
  #sessions = 0;
  #requests = 0;
  #errors = 0;

  constructor({ name, host, port, draining }: BackendServer, options: BackendOptions) {
    this.name = name;
    this.host = host;
    this.port = port;
    this.#options = options;
    this.setDraining(draining);
  }

  get isAvailable(): boolean {
    return this.#health === "up" && !this.#draining && !this.#retired;
  }

  /** Counts a request that begins; call what is returned when it is over, however it ended. */
  begin(): () => void {
    this.#sessions += 1;
    this.#requests += 1;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#sessions -= 1;
      if (this.#draining || this.#retired) this.#closeIdle();
    };
  }

  /** Takes note of a request that this server failed. */
  countError(): void {
    this.#errors += 1;
  }

  setDraining(draining: boolean): void {
    if (draining === this.#draining) return;
    this.#draining = draining;
    this.#since = new Date();
    if (draining) this.#closeIdle();
    this.#options.logger.info(draining ? "server draining" : "server no longer draining", {
      backend: this.name,
    });
  }

  /** Takes nothing new for good; what it has is finished. */
  retire(): void {
    this.#retired = true;
    this.#closeIdle();
  }

  note({ healthy, reason }: CheckResult): void {
    const wanted = healthy ? "up" : "down";
    if (this.#health === wanted) {
      this.#streak = 0;
      this.#reason = reason;
      return;
    }
    // While it is starting the streak counts good checks upwards and failed ones downwards.
    const step = healthy ? 1 : -1;
    this.#streak = Math.sign(this.#streak) === -step ? step : this.#streak + step;
    const needed = healthy ? this.#options.rise : this.#options.fall;
    if (this.#health === "starting") this.#reason = reason;
    if (Math.abs(this.#streak) < needed) return;
    this.#streak = 0;
    this.#health = wanted;
    this.#reason = reason;
    if (!this.#draining) this.#since = new Date();
    const fields = { backend: this.name, reason };
    if (healthy) this.#options.logger.info("server up", fields);
    else this.#options.logger.warn("server down", fields);
  }

  describe(): BalancedServer {
    return {
      name: this.name,
      address: renderAddress(this.host, this.port),
      state: this.#draining ? "draining" : this.#health,
      since: this.#since.toISOString(),
      reason: this.#draining ? `Taken out of rotation (${this.#reason})` : this.#reason,
      sessionsCurrent: this.#sessions,
      requestsTotal: this.#requests,
      errorsTotal: this.#errors,
    };
  }

  /** Connections in use are left alone: the library's own `destroy` would cut them. */
  #closeIdle(): void {
    for (const sockets of Object.values(this.agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }
}
