import { connect, type Socket } from "node:net";
import { once } from "node:events";

export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/**
 * One connection to the balancer that sends bytes as they are and never retries, unlike every HTTP
 * library: so that no failure is hidden.
 */
export class RawConnection {
  readonly #socket: Socket;
  #buffer = "";
  #ended = false;
  #wake = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => {
      this.#buffer += Buffer.from(chunk).toString("latin1");
      this.#notify();
    });
    socket.on("close", () => {
      this.#ended = true;
      this.#notify();
    });
    socket.on("error", () => {}); // `close` follows
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.setNoDelay(true);
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  close(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** Everything up to and with `end`; rejects when the connection closes before. */
  async readUntil(end: string): Promise<string> {
    await this.#until(() => this.#buffer.includes(end));
    return this.#take(this.#buffer.indexOf(end) + end.length);
  }

  /** One response with a Content-Length, or up to the end of the connection. */
  async readResponse(): Promise<RawResponse> {
    const head = (await this.readUntil("\r\n\r\n")).trimEnd().split("\r\n");
    const headers = new Map(
      head.slice(1).map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const length = Number(headers.get("content-length") ?? 0);
    await this.#until(() => this.#buffer.length >= length);
    return { status: Number(head[0]?.split(" ")[1]), headers, body: this.#take(length) };
  }

  async #until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.#ended) throw new Error(`connection closed after "${this.#buffer.slice(0, 200)}"`);
      await this.#wake.promise;
    }
  }

  #take(length: number): string {
    const taken = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(length);
    return taken;
  }

  #notify(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

export interface RequestOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request's bytes. */
export function renderRequest(
  { method = "GET", path = "/", headers = {}, body = "" }: RequestOptions = {},
): string {
  const all = { Host: "client.example", ...headers };
  const length = method === "POST" || body !== "" ? [`Content-Length: ${body.length}`] : [];
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/1.1`, ...lines, ...length, "", body].join("\r\n");
}

/** One request on a connection of its own. */
export async function request(port: number, options: RequestOptions = {}): Promise<RawResponse> {
  const connection = await RawConnection.open(port);
  try {
    connection.write(renderRequest(options));
    return await connection.readResponse();
  } finally {
    connection.close();
  }
}

export interface LoadResult {
  readonly ok: number;
  readonly failures: readonly string[];
  readonly ids: readonly string[];
  readonly byServer: ReadonlyMap<string, number>;
}

export interface LoadOptions {
  readonly port: number;
  readonly method?: "GET" | "POST";
  /** Connections that each send one request after the other. Default 8. */
  readonly connections?: number;
  /** Time each request takes at the server. Default 4. */
  readonly workMs?: number;
}

/** No load of a test goes on for longer than this. */
const requestsMax = 5_000;

/** Kept-alive clients that send requests until told to stop, and write down each one's fate. */
export class Load {
  readonly #options: LoadOptions;
  readonly #failures: string[] = [];
  readonly #ids: string[] = [];
  readonly #byServer = new Map<string, number>();
  readonly #clients: Promise<void>[];
  #ok = 0;
  #stopped = false;
  #wake = Promise.withResolvers<void>();

  constructor(options: LoadOptions) {
    this.#options = options;
    const count = options.connections ?? 8;
    this.#clients = Array.from({ length: count }, () => this.#runClient());
  }

  /** Resolves when `count` further requests have been answered or have failed. */
  async further(count: number): Promise<void> {
    const wanted = this.#finished + count;
    while (this.#finished < wanted && this.#finished < requestsMax) await this.#wake.promise;
  }

  async stop(): Promise<LoadResult> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return {
      ok: this.#ok,
      failures: this.#failures,
      ids: this.#ids,
      byServer: this.#byServer,
    };
  }

  get #finished(): number {
    return this.#ok + this.#failures.length;
  }

  async #runClient(): Promise<void> {
    let connection: RawConnection | undefined;
    while (!this.#stopped && this.#finished < requestsMax) {
      try {
        connection = connection?.isOpen ? connection : await RawConnection.open(this.#options.port);
        const response = await this.#sendOne(connection);
        if (response.headers.get("connection") === "close") connection.close();
      } catch (error) {
        this.#failures.push(error instanceof Error ? error.message : String(error));
        connection?.close();
        connection = undefined;
      }
      this.#wake.resolve();
      this.#wake = Promise.withResolvers<void>();
    }
    connection?.close();
  }

  async #sendOne(connection: RawConnection): Promise<RawResponse> {
    const { method = "GET", workMs = 4 } = this.#options;
    const id = crypto.randomUUID();
    this.#ids.push(id);
    connection.write(renderRequest({ method, path: `/?ms=${workMs}`, headers: { "X-Id": id } }));
    const response = await connection.readResponse();
    if (response.status !== 200) {
      this.#failures.push(`${response.status} ${response.body}`);
      return response;
    }
    this.#ok++;
    const { server } = JSON.parse(response.body);
    this.#byServer.set(server, (this.#byServer.get(server) ?? 0) + 1);
    return response;
  }
}
