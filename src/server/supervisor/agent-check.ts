import { createServer, type Server, type Socket } from "node:net";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { nextWeight, type Vitals } from "./health-weight.ts";

/** How often the weight is worked out anew, as often as workers tell how they are. */
const intervalMs = 1_000;

/** Whoever does not take its few bytes within this is ended. */
const answerTimeoutMs = 2_000;

export interface AgentCheckOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly vitals: () => readonly (Vitals | undefined)[];
}

/**
 * Tells balancers which share of its usual requests this server can take, as HAProxy's agent checks
 * want it: a line such as `75%` to everybody who connects. A server that drains says `0%`, which is
 * over with the next answer, and not `drain`, which HAProxy would keep until somebody takes it back.
 */
export class AgentCheck {
  readonly #options: AgentCheckOptions;
  readonly #server: Server;
  #weight = 100;
  #isDraining = false;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: AgentCheckOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#answer(socket));
    this.#server.maxConnections = 64;
  }

  /** Where it listens; 0 while it does not. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  }

  /** The share in percent. */
  get weight(): number {
    return this.#isDraining ? 0 : this.#weight;
  }

  /** Throws SERVER_WEIGHT_PORT. */
  async start(): Promise<void> {
    const { host, port, vitals } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error) => {
        const params = { host, port, reason: reasonOf(error) };
        reject(new PlatformError("SERVER_WEIGHT_PORT", params, { cause: error }));
      });
      this.#server.listen(port, host, resolve);
    });
    this.#timer = setInterval(() => this.#weight = nextWeight(this.#weight, vitals()), intervalMs);
  }

  /** From now on it asks for nothing new. */
  drain(): void {
    this.#isDraining = true;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#server.close();
  }

  #answer(socket: Socket): void {
    socket.on("error", () => {}); // whoever asked is gone
    socket.setTimeout(answerTimeoutMs, () => socket.destroy());
    socket.resume();
    socket.end(`${this.weight}%\n`);
  }
}
