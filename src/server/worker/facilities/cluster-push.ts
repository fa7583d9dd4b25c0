import { randomUUID } from "node:crypto";
import type { SocketChannels, SocketClients } from "../../../connectors/contract.ts";
import { PlatformError, reasonOf } from "../../../errors/platform-error.ts";
import { withTimeout } from "../../../lib/wait.ts";
import { toJsonText } from "../../../service/facilities/json-text.ts";
import type { PushTarget, SocketPush } from "../../../service/socket-push.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import type { SupervisorLink } from "../supervisor-link.ts";
import type { WorkerKvdb } from "./worker-kvdb.ts";

/** Of the KVDB, for all channels. */
const kvdbChannel = "sockets";

export interface ClusterPushOptions {
  readonly kvdb: Pick<WorkerKvdb, "isConfigured" | "publish" | "subscribe">;
  readonly link: Pick<SupervisorLink, "request">;
  readonly logger: Logger;
}

/** What workers tell one another. */
interface Relayed {
  /** The worker that sent it, which has served its own clients. */
  readonly from: string;
  readonly channel: string;
  /** The message, as JSON text. */
  readonly json: string;
  readonly to: PushTarget;
}

/**
 * Pushes to this worker's clients, and over the KVDB to those of all others. While there is no
 * KVDB, the supervisor passes messages on to its own workers.
 */
export class ClusterPush implements SocketPush, SocketChannels {
  readonly #options: ClusterPushOptions;
  readonly #self = randomUUID();
  readonly #channels = new Map<string, SocketClients>();
  #isSubscribed = false;
  #isAlone = false;

  constructor(options: ClusterPushOptions) {
    this.#options = options;
  }

  add(channel: string, clients: SocketClients): void {
    this.#channels.set(channel, clients);
    if (!this.#isSubscribed && this.#options.kvdb.isConfigured) void this.#subscribe();
  }

  remove(channel: string, clients: SocketClients): void {
    if (this.#channels.get(channel) === clients) this.#channels.delete(channel);
  }

  /** Rejects with SOCKET_PUSH_NONE and VALUE_NOT_JSON. */
  async send(channel: string, message: unknown, to: PushTarget): Promise<void> {
    const clients = this.#channels.get(channel);
    if (clients === undefined) throw new PlatformError("SOCKET_PUSH_NONE", { channel });
    const json = toJsonText(message, `A message to the clients of "${channel}"`);
    clients.deliver(json, to);
    await this.#relay(JSON.stringify({ from: this.#self, channel, json, to } satisfies Relayed));
  }

  /** Takes what another worker sent. */
  receive(text: string): void {
    const { from, channel, json, to } = JSON.parse(text) as Relayed; // workers write nothing else
    if (from !== this.#self) this.#channels.get(channel)?.deliver(json, to);
  }

  /** Messages of clients that have no answer yet. */
  get inFlight(): number {
    return this.#channels.values().reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /** Says goodbye to all clients; resolves to how many messages were left without an answer. */
  async drain(timeoutMs: number): Promise<number> {
    const all = [...this.#channels.values()];
    const leaving = Promise.all(all.map((clients) => clients.drain())).then(() => 0);
    const late = new Error("Clients did not leave in time");
    return await withTimeout(leaving, timeoutMs, () => late).catch(() => this.inFlight);
  }

  async #relay(text: string): Promise<void> {
    const { kvdb, link, logger } = this.#options;
    if (kvdb.isConfigured) {
      try {
        await kvdb.publish(kvdbChannel, text);
        return this.#setAlone(false);
      } catch (error) {
        this.#setAlone(true, reasonOf(error));
      }
    }
    // Not awaited: it is handed over, and what becomes of it nobody can know.
    void link.request("push", { text }).catch((error: unknown) => {
      logger.warn("A push did not reach other workers", { reason: reasonOf(error) });
    });
  }

  /** Messages of the KVDB are hints that may be lost; the link subscribes again by itself. */
  async #subscribe(): Promise<void> {
    this.#isSubscribed = true;
    const { kvdb, logger } = this.#options;
    try {
      await kvdb.subscribe(kvdbChannel, (text) => this.receive(text));
    } catch (error) {
      this.#isSubscribed = false;
      logger.error("Pushes of other servers cannot be heard", { error });
    }
  }

  #setAlone(isAlone: boolean, reason?: string): void {
    if (this.#isAlone === isAlone) return;
    this.#isAlone = isAlone;
    const { logger } = this.#options;
    if (isAlone) logger.warn("Pushes reach the clients of this server alone for now", { reason });
    else logger.info("Pushes reach the clients of all servers again");
  }
}
