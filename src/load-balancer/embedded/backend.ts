import type { Logger } from "../../telemetry/logger.ts";
import { renderAddress } from "../address.ts";
import type { EngineServer } from "../api.ts";
import { type BackendServer, defaultWeight } from "../engine.ts";
import { createHop, type Hop, type HopTrust } from "./hop.ts";
import { RateMeter } from "../../lib/rate-meter.ts";

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
  /** Whom servers that speak TLS must be. */
  readonly trust: HopTrust;
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
  readonly isTls: boolean;
  /** How requests get there. */
  readonly hop: Hop;
  readonly #options: BackendOptions;
  #health: "starting" | "up" | "down" = "starting";
  #reason = "Not checked yet";
  #since = new Date();
  #streak = 0;
  #draining = false;
  #maintenance = false;
  #weight = defaultWeight;
  #weightPort: number | undefined;
  /** What it said last that it can take of its weight, in percent. */
  #share = 100;
  #retired = false;
  #sessions = 0;
  #sessionsMax = 0;
  readonly #rate = new RateMeter();
  #requests = 0;
  #errors = 0;

  constructor(server: BackendServer, options: BackendOptions) {
    this.name = server.name;
    this.host = server.host;
    this.port = server.port;
    this.isTls = server.tls === true;
    this.hop = createHop(server, options.trust);
    this.#options = options;
    this.arrange(server);
  }

  get isAvailable(): boolean {
    return this.#health === "up" && !this.#draining && !this.#maintenance && !this.#retired &&
      this.weight > 0;
  }

  /** Its share of the requests beside the other servers' weights. */
  get weight(): number {
    return this.#weight * this.#share / 100;
  }

  /** Where it says which share of its weight it can take. */
  get weightPort(): number | undefined {
    return this.#weightPort;
  }

  /** Takes note of the share of its weight that it can take, in percent. */
  setShare(percent: number): void {
    this.#share = percent;
  }

  /** Requests in flight. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Counts a request that begins; call what is returned when it is over, however it ended. */
  begin(): () => void {
    this.#sessions += 1;
    this.#sessionsMax = Math.max(this.#sessionsMax, this.#sessions);
    this.#requests += 1;
    this.#rate.count();
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#sessions -= 1;
      if (this.#isOut) this.#closeIdle();
    };
  }

  /** Takes note of a request that this server failed. */
  countError(): void {
    this.#errors += 1;
  }

  /** Takes over what is asked of the server now. */
  arrange(
    { draining, maintenance = false, weight = defaultWeight, weightPort }: Pick<
      BackendServer,
      "draining" | "maintenance" | "weight" | "weightPort"
    >,
  ): void {
    this.#weight = weight;
    this.#weightPort = weightPort;
    if (draining === this.#draining && maintenance === this.#maintenance) return;
    this.#draining = draining;
    this.#maintenance = maintenance;
    this.#since = new Date();
    if (this.#isOut) this.#closeIdle();
    const what = maintenance
      ? "server in maintenance"
      : draining
      ? "server draining"
      : "server back";
    this.#options.logger.info(what, { backend: this.name });
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
    if (!this.#isOut) this.#since = new Date();
    const fields = { backend: this.name, reason };
    if (healthy) this.#options.logger.info("server up", fields);
    else this.#options.logger.warn("server down", fields);
  }

  describe(): EngineServer {
    return {
      name: this.name,
      address: renderAddress(this.host, this.port),
      state: this.#maintenance ? "maintenance" : this.#draining ? "draining" : this.#health,
      since: this.#since.toISOString(),
      reason: this.#isOut ? `Taken out of rotation (${this.#reason})` : this.#reason,
      weight: this.#isOut ? 0 : Math.round(this.weight),
      sessionsCurrent: this.#sessions,
      sessionsMax: this.#sessionsMax,
      requestsTotal: this.#requests,
      requestRate: this.#rate.perSecond(),
      errorsTotal: this.#errors,
    };
  }

  get #isOut(): boolean {
    return this.#draining || this.#maintenance || this.#retired;
  }

  /** Connections in use are left alone: the library's own `destroy` would cut them. */
  #closeIdle(): void {
    for (const sockets of Object.values(this.hop.agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }
}
