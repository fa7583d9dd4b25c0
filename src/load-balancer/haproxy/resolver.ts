import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { resolveHost } from "../address.ts";
import type { EngineServer } from "../api.ts";
import { type BackendServer, defaultWeight } from "../engine.ts";
import type { HaproxyServer } from "./model.ts";
import { unknownServer } from "./stats.ts";

/**
 * Turns the servers' host names into addresses, because HAProxy does not start with a name that
 * does not resolve. A name server that fails later takes nobody out: the last address stays.
 */
export class ServerResolver {
  readonly #logger: Logger;
  readonly #lastIps = new Map<string, string>();
  #unresolved: readonly EngineServer[] = [];

  constructor({ logger }: { readonly logger: Logger }) {
    this.#logger = logger;
  }

  /** The servers that were left out because their host never resolved. */
  get unresolved(): readonly EngineServer[] {
    return this.#unresolved;
  }

  /**
   * The servers with addresses. One whose host never resolved is left out; with `strict` it throws
   * BALANCER_UNKNOWN_HOST instead, unless it was left out before already.
   */
  async resolve(
    servers: readonly BackendServer[],
    { strict }: { readonly strict: boolean },
  ): Promise<readonly HaproxyServer[]> {
    const resolved: HaproxyServer[] = [];
    const unresolved: EngineServer[] = [];
    for (const server of servers) {
      const { name, host, ...rest } = server;
      try {
        const ip = await this.#ipOf(host);
        resolved.push({ maintenance: false, weight: defaultWeight, ...rest, name, ip });
      } catch (error) {
        const left = this.#leaveOut(server, reasonOf(error));
        if (strict && !this.#unresolved.some((one) => one.address === left.address)) {
          const params = { name, host, reason: reasonOf(error) };
          throw new PlatformError("BALANCER_UNKNOWN_HOST", params, { cause: error });
        }
        unresolved.push(left);
      }
    }
    this.#unresolved = unresolved;
    return resolved;
  }

  /** The servers with addresses as far as there are any; takes note of nothing. */
  async addressesOf(servers: readonly BackendServer[]): Promise<readonly HaproxyServer[]> {
    const resolved = await Promise.all(servers.map(async ({ name, host, ...rest }) => {
      const ip = await this.#ipOf(host).catch(() => undefined); // left out, as at a start
      if (ip === undefined) return [];
      return [{ maintenance: false, weight: defaultWeight, ...rest, name, ip }];
    }));
    return resolved.flat();
  }

  async #ipOf(host: string): Promise<string> {
    try {
      const ip = await resolveHost(host);
      this.#lastIps.set(host, ip);
      return ip;
    } catch (error) {
      const last = this.#lastIps.get(host);
      if (last === undefined) throw error;
      this.#logger.warn("host does not resolve; its last address stays", { host, ip: last });
      return last;
    }
  }

  #leaveOut(server: BackendServer, why: string): EngineServer {
    const before = this.#unresolved.find(({ name }) => name === server.name);
    const since = before?.since ?? new Date().toISOString();
    this.#logger.warn("server has no address", { server: server.name, host: server.host, why });
    return unknownServer(server, { reason: `"${server.host}" does not resolve`, since });
  }
}
