import { PlatformError } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { sendCommand } from "./control-socket.ts";
import type { HaproxyServer } from "./model.ts";
import { backendName, fileWeight } from "./render.ts";

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
  readonly #leaving = new Map<string, HaproxyServer>();
  /** The weights that they came into HAProxy with: those that servers take their part of. */
  readonly #initialWeights = new Map<string, number>();

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
    this.#initialWeights.clear();
    for (const server of servers) this.#initialWeights.set(server.name, fileWeight(server));
  }

  /**
   * Makes HAProxy's servers equal to `wanted`. Throws BALANCER_RUNTIME when it does not carry out
   * a command (older versions cannot add servers with checks); what was done until then stays.
   */
  async reconcile(wanted: readonly HaproxyServer[]): Promise<void> {
    const names = new Set(wanted.map(({ name }) => name));
    for (const server of wanted) await this.#put(server);
    for (const { name } of this.servers) if (!names.has(name)) await this.#retire(name);
    for (const name of this.#leaving.keys()) await this.#tryDelete(name);
  }

  async #put(server: HaproxyServer): Promise<void> {
    const id = `${backendName}/${server.name}`;
    const before = this.#servers.get(server.name);
    const known = before ?? this.#leaving.get(server.name);
    if (known !== undefined) this.#refuseFixed(known, server);
    if (known === undefined) {
      // A new server begins in maintenance, with its checks off.
      const ordinary = { ...server, draining: false };
      await this.#send(`add server ${id} ${this.#options.renderServer(ordinary)}`, /registered/);
      await this.#send(`enable health ${id}`);
      if (server.weightPort !== undefined) {
        await this.#send(`enable agent ${id}`);
        // Its answers are about weight alone, so they would never bring the server up.
        await this.#send(`set server ${id} agent up`);
      }
      this.#initialWeights.set(server.name, server.weight);
    } else if (before?.ip !== server.ip || before.port !== server.port) {
      const address = `addr ${server.ip} port ${server.port}`;
      await this.#send(`set server ${id} ${address}`, /changed|no need/);
    }
    if (known !== undefined && server.weightPort !== known.weightPort) {
      await this.#send(`set server ${id} agent-port ${server.weightPort}`);
    }
    const state = stateWord(server);
    const stateBefore = before === undefined ? undefined : stateWord(before);
    // Weight 0 in the file that HAProxy read is what keeps one that drains from new requests: it
    // may get a weight only once it has the state.
    const isFirst = state !== "ready";
    if (isFirst && before !== server) await this.#send(`set server ${id} state ${state}`);
    if (before?.weight !== server.weight || (state === "ready" && stateBefore !== "ready")) {
      await this.#send(`set server ${id} weight ${server.weight}`);
    }
    if (!isFirst && stateBefore !== state) await this.#send(`set server ${id} state ${state}`);
    this.#leaving.delete(server.name);
    this.#servers.set(server.name, server);
  }

  /** Throws when the new one differs in what HAProxy reads from its file only. */
  #refuseFixed(before: HaproxyServer, server: HaproxyServer): void {
    const { name, tls, weightPort, weight } = server;
    const refuse = (reason: string) => {
      throw new PlatformError("BALANCER_RUNTIME", { command: `set server ${name}`, reason });
    };
    if (before.tls !== tls) refuse("TLS towards a server cannot be switched");
    if ((before.weightPort === undefined) !== (weightPort === undefined)) {
      refuse("whether a server is asked for its weight cannot be switched");
    }
    // Such a server answers with a part of the weight that HAProxy began with.
    const isFixed = weightPort !== undefined && stateWord(server) === "ready";
    if (isFixed && this.#initialWeights.get(name) !== weight) {
      refuse("the weight of a server that is asked for its part of it is in the file");
    }
  }

  async #retire(name: string): Promise<void> {
    await this.#send(`set server ${backendName}/${name} state maint`);
    const server = this.#servers.get(name);
    this.#servers.delete(name);
    if (server !== undefined) this.#leaving.set(name, server);
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

function stateWord({ draining, maintenance }: HaproxyServer): "ready" | "drain" | "maint" {
  if (maintenance) return "maint";
  return draining ? "drain" : "ready";
}
