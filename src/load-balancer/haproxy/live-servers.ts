import { PlatformError } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { sendCommand } from "./control-socket.ts";
import type { HaproxyServer } from "./model.ts";
import { backendName, serverWeight } from "./render.ts";

export interface LiveServersOptions {
  readonly socket: string;
  /** What follows a server's name in HAProxy's `server` line. */
  readonly renderServer: (server: HaproxyServer) => string;
  readonly logger: Logger;
}

/**
 * The servers that the running HAProxy has, changed through its control socket: nothing is
 * reloaded, and connections of servers that stay are not touched.
 */
export class LiveServers {
  readonly #options: LiveServersOptions;
  #servers = new Map<string, HaproxyServer>();
  /** Out of service, but not deleted yet because requests were in flight. */
  readonly #leaving = new Set<string>();

  constructor(options: LiveServersOptions) {
    this.#options = options;
  }

  get servers(): readonly HaproxyServer[] {
    return [...this.#servers.values()];
  }

  /** A new HAProxy has read these from its file. */
  reset(servers: readonly HaproxyServer[]): void {
    this.#servers = new Map(servers.map((server) => [server.name, server]));
    this.#leaving.clear();
  }

  /**
   * Makes HAProxy's servers equal to `wanted`. Throws BALANCER_RUNTIME when it does not carry out
   * a command (older versions cannot add servers with checks); what was done until then stays.
   */
  async reconcile(wanted: readonly HaproxyServer[]): Promise<void> {
    const names = new Set(wanted.map(({ name }) => name));
    for (const server of wanted) await this.#put(server);
    for (const { name } of this.servers) if (!names.has(name)) await this.#retire(name);
    for (const name of this.#leaving) await this.#tryDelete(name);
  }

  async #put(server: HaproxyServer): Promise<void> {
    const id = `${backendName}/${server.name}`;
    const before = this.#servers.get(server.name);
    if (before === undefined && !this.#leaving.has(server.name)) {
      await this.#send(`add server ${id} ${this.#options.renderServer(server)}`, /registered/);
      // A new server begins in maintenance, with its checks off.
      await this.#send(`enable health ${id}`);
      await this.#send(`enable server ${id}`);
    } else {
      if (before?.ip !== server.ip || before.port !== server.port) {
        const address = `addr ${server.ip} port ${server.port}`;
        await this.#send(`set server ${id} ${address}`, /changed|no need/);
      }
      if (before?.draining !== server.draining) {
        await this.#send(`set server ${id} weight ${serverWeight(server)}`);
      }
      if (this.#leaving.delete(server.name)) await this.#send(`set server ${id} state ready`);
    }
    this.#servers.set(server.name, server);
  }

  async #retire(name: string): Promise<void> {
    await this.#send(`set server ${backendName}/${name} state maint`);
    this.#servers.delete(name);
    this.#leaving.add(name);
  }

  /** HAProxy deletes no server with connections: then it stays out of service until next time. */
  async #tryDelete(name: string): Promise<void> {
    const { socket, logger } = this.#options;
    const answer = await sendCommand(socket, `del server ${backendName}/${name}`);
    if (/deleted|no such server/i.test(answer)) this.#leaving.delete(name);
    else logger.debug("server stays out of service for now", { server: name, answer });
  }

  async #send(command: string, success = /^$/): Promise<void> {
    const reason = await sendCommand(this.#options.socket, command);
    if (!success.test(reason)) throw new PlatformError("BALANCER_RUNTIME", { command, reason });
  }
}
