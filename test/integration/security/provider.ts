import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as the provider saw it. */
export interface ProviderRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Answer = (request: ProviderRequest, response: ServerResponse) => void;

/** An issuer of keys or tokens, on a port of its own, that answers as a test tells it to. */
export class Provider implements AsyncDisposable {
  readonly requests: ProviderRequest[] = [];
  /** What the next requests are answered with. */
  answer: Answer;
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server, answer: Answer) {
    this.#server = server;
    this.answer = answer;
    // A server that listens on TCP has such an address.
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(answer: Answer = (_, response) => json(response, {})): Promise<Provider> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        const body = Buffer.concat(chunks).toString();
        const seen = { method, path: url, headers, body };
        provider.requests.push(seen);
        provider.answer(seen, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const provider = new Provider(server, answer);
    return provider;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}
